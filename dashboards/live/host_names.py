"""Superset answers only under host names that it knows, as the other services do (`serving.host_names`)."""

from typing import TYPE_CHECKING

from flask import Response, jsonify, request

from serving.host_names import allowed_host_check, unknown_host_message

if TYPE_CHECKING:
    from flask import Flask


def refuse_unknown_hosts(app: "Flask", allowed_hosts: str) -> None:
    """Put the check in front of everything else that looks at a request.

    Args:
        app: Superset.
        allowed_hosts: Names with commas between; `*` for any.
    """
    is_allowed = allowed_host_check(allowed_hosts)

    def refuse() -> Response | None:
        host = request.headers.get("Host", "")
        if is_allowed(host):
            return None
        answer = jsonify(message=unknown_host_message(host, "CLICKSTREAM_SUPERSET__ALLOWED_HOSTS"))
        answer.status_code = 421
        return answer

    app.before_request_funcs.setdefault(None, []).insert(0, refuse)
