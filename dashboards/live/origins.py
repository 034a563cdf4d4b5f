"""Superset takes requests of browsers from its own pages only, as Mage does (`serving.origins`).

Its own check, a token in each form, comes after the limit on sign-ins, so any page could have used up the
limit of the person who looks at it. And a request that only ends the session needs no token.
"""

from typing import TYPE_CHECKING

from flask import Response, jsonify, request

from serving.origins import comes_from_own_pages

if TYPE_CHECKING:
    from flask import Flask


def refuse_other_sites(app: "Flask") -> None:
    """Put the check in front of everything that looks at a request."""

    def refuse() -> Response | None:
        headers = {name.lower(): value for name, value in request.headers.items()}
        is_page = request.method in {"GET", "HEAD"} and not request.path.startswith("/api/")
        if comes_from_own_pages(headers, is_page=is_page):
            return None
        answer = jsonify(message="Pages of other sites may not use this server.")
        answer.status_code = 403
        return answer

    app.before_request_funcs.setdefault(None, []).insert(0, refuse)
