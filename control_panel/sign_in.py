"""The sign-in page and the end of a session: plain HTML, since Streamlit starts only after it."""

import html
import logging
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from clickstream.sign_in import FailedSignIns
from control_panel import metrics
from control_panel.accounts import Account, Accounts
from control_panel.guard import ACCOUNT, SIGN_IN_PATH
from control_panel.request_body import read_body

logger: Final = logging.getLogger(__name__)

MAX_FORM_BYTES: Final = 4_096
_MAX_FIELDS: Final = 10
_PAGE: Final = (Path(__file__).parent / "static" / "sign_in.html").read_text(encoding="utf-8")


class SignIn:
    """The routes of signing in and out."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts
        self._failures = FailedSignIns()

    async def show(self, request: Request) -> Response:
        """The page; people who are signed in are sent on to the page that they asked for."""
        target = _local_path(request.query_params.get("next", "/"))
        if isinstance(request.scope[ACCOUNT], Account):
            return RedirectResponse(target, 303)
        return _page(target)

    async def sign_in(self, request: Request) -> Response:
        """Check name and password, and set the cookie."""
        address = request.client.host if request.client else ""
        form = await _read_form(request)
        if form is None:
            return _page("/", "The form is too long or has too many fields.", status=413)
        target = _local_path(form.get("next", "/"))
        if wait := self._failures.begin(address):
            message = f"Too many failed attempts. Try again in {wait} seconds."
            return _page(target, message, status=429, headers={"retry-after": str(wait)})
        account = self._accounts.sign_in(form.get("name", ""), form.get("password", ""))
        if account is None:
            metrics.SIGN_IN_FAILURES.inc()
            logger.warning("A sign-in failed.")
            return _page(target, "The name or the password is wrong.", status=401)
        self._failures.take_back(address)
        response = RedirectResponse(target, 303)
        response.set_cookie(
            self._accounts.cookie_name,
            self._accounts.cookie_of(account),
            max_age=self._accounts.session_seconds,
            httponly=True,
            samesite="lax",
            # As a reverse proxy says, if there is one; whoever says so falsely changes only their own cookie.
            secure=request.headers.get("x-forwarded-proto", request.url.scheme) == "https",
        )
        return response

    async def sign_out(self, request: Request) -> Response:
        """End the session and show the sign-in page."""
        response = RedirectResponse(SIGN_IN_PATH, 303)
        # A browser may have signed in under several ports; none of these sessions must take over.
        for name, account in self._accounts.cookies_of(request.cookies).items():
            self._accounts.sign_out(account)
            response.delete_cookie(name, httponly=True, samesite="lax")
        return response


def _page(
    target: str, problem: str = "", *, status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    alert = f'<p class="problem" role="alert">{html.escape(problem)}</p>' if problem else ""
    text = _PAGE.replace("{{problem}}", alert).replace("{{next}}", html.escape(target, quote=True))
    return HTMLResponse(text, status, {"cache-control": "no-store", **(headers or {})})


async def _read_form(request: Request) -> dict[str, str] | None:
    """The fields of a posted form; None if it is too long or has too many."""
    body = await read_body(request, MAX_FORM_BYTES)
    if body is None:
        return None
    try:
        fields = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=_MAX_FIELDS)
    except ValueError:
        return None
    return {name: values[0] for name, values in fields.items()}


def _local_path(target: str) -> str:
    """The target if it is a path of the panel, else its start page: a link must not lead to another site."""
    is_local = target.startswith("/") and not target.startswith(("//", "/\\")) and target.isprintable()
    return target if is_local else "/"
