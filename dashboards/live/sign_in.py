"""Limits how often signing in to Superset may fail.

Superset's own setting (`AUTH_RATE_LIMIT`) does nothing in 6.1: it limits a view that shows the sign-in page,
and passwords are sent to another one.
"""

from typing import TYPE_CHECKING, Final

from flask import Response, jsonify, request, session

from clickstream.sign_in import FailedSignIns

if TYPE_CHECKING:
    from flask import Flask

_FORM: Final = "/login"
_API: Final = "/api/v1/security/login"


def limit_sign_ins(app: "Flask") -> None:
    """Put the limit into the application."""
    failures = FailedSignIns()

    def refuse_too_many() -> Response | None:
        if not _is_sign_in() or not (pause := failures.begin(_address())):
            return None
        answer = jsonify(message=f"Too many sign-ins have failed; try again in {pause} s.")
        answer.status_code = 429
        answer.headers["Retry-After"] = str(pause)
        return answer

    def take_back_success(answer: Response) -> Response:
        if _is_sign_in() and _has_succeeded(answer):
            failures.take_back(_address())
        return answer

    # Before the check of the form's token, which answers by itself.
    app.before_request_funcs.setdefault(None, []).insert(0, refuse_too_many)
    app.after_request(take_back_success)


def _is_sign_in() -> bool:
    return request.method == "POST" and request.path.rstrip("/") in {_FORM, _API}


def _has_succeeded(answer: Response) -> bool:
    if request.path.startswith(_API):
        return bool(answer.status_code == 200)
    return "_user_id" in session


def _address() -> str:
    return request.remote_addr or ""
