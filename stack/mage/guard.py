"""The guard around Mage's web server: no request reaches Mage unless `doors.judge` lets it in.

Mage leaves it to each of its handlers whether to look for a session, and many don't: event triggers, both
websockets, the file browser. So the guard sits where Tornado looks for the handler of a request, before any
of them, websockets included. Written for mage-ai 0.9.80; it refuses to start with another version, since new
routes would have to be looked at.
"""

import hashlib
import json
import re
from base64 import b64encode
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import Any, ClassVar, Final
from urllib.parse import quote

import jwt
from mage_ai.api.utils import authenticate_client_and_token, parse_cookie_header
from mage_ai.authentication.oauth2 import decode_token
from mage_ai.orchestration.db.models.oauth import Oauth2Application
from mage_ai.server import server
from mage_ai.server.api.v1 import ApiListHandler, ApiResourceListHandler
from mage_ai.server.constants import VERSION
from mage_ai.settings import OAUTH2_APPLICATION_CLIENT_ID
from mage_ai.shared.requests import get_bearer_auth_token_from_headers
from tornado.httputil import (
    HTTPHeaders,
    HTTPMessageDelegate,
    HTTPServerRequest,
    RequestStartLine,
    ResponseStartLine,
)
from tornado.template import Loader
from tornado.web import Application, OutputTransform

from clickstream.sign_in import FailedSignIns
from stack.mage.doors import SIGN_IN_PAGE, SIGN_IN_PATH, STATUS_PATH, Need, Refusal, Visit, judge

WRITTEN_FOR: Final = "0.9.80"

SECURITY_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    # Pages on other ports of this machine count as the same site; they get no handle on a window of Mage.
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    # The editor (Monaco) and styled-components put styles into the page; scripts are files of Mage, and the
    # one that stands in all of its pages.
    "Content-Security-Policy": (
        "default-src 'self'; script-src 'self' {page_script}; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data: blob:; font-src 'self' data:; worker-src 'self' blob:; object-src 'none'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
}
"""For all that a browser may load."""

HIDING_STYLE: Final = b'<style>a[href="/terminal"] { display: none !important }</style>'
"""Takes the way to the terminal out of Mage's pages, since the terminal is closed (`doors.py`)."""

_CROSS_ORIGIN_HEADERS: Final = (
    "Access-Control-Allow-Origin",
    "Access-Control-Allow-Methods",
    "Access-Control-Allow-Headers",
)
_SIGN_IN_MAX_BYTES: Final = 4096
_CLIENT_ERRORS: Final = range(HTTPStatus.BAD_REQUEST, HTTPStatus.INTERNAL_SERVER_ERROR)

# What the sign-in page asks for, and what the health check does; paths and ids of processes are not in it.
_PUBLIC_STATUS: Final = (
    "disable_pipeline_edit_access",
    "instance_type",
    "is_instance_manager",
    "max_print_output_lines",
    "project_type",
    "require_user_authentication",
    "require_user_permissions",
    "scheduler_status",
)


def guard_mage(allowed_hosts: str) -> None:
    """Put the guard around the application that Mage's server is going to make.

    Args:
        allowed_hosts: Names under which the server may be called, with commas between; `*` for any.

    Raises:
        RuntimeError: Mage is of another version than the guard was written for.
    """
    if VERSION != WRITTEN_FOR:
        raise RuntimeError(
            f"The guard was written for mage-ai {WRITTEN_FOR}, not {VERSION}: look at its routes."
        )
    SecurityHeaders.page_script = f"'sha256-{_script_of_pages()}'"
    hosts = frozenset(name.strip().lower() for name in allowed_hosts.split(",") if name.strip())
    make_app: Callable[..., Application] = server.make_app

    def make_guarded_app(**options: Any) -> Application:
        app = make_app(**options)
        app.add_handlers(
            r".*",
            [
                (SIGN_IN_PATH, SignInHandler, {"failures": FailedSignIns()}),
                (STATUS_PATH, StatusHandler),
            ],
        )
        app.add_transform(SecurityHeaders)
        find_handler = app.find_handler

        def find_handler_if_allowed(request: HTTPServerRequest, **further: Any) -> Any:
            refused = refusal(request, hosts)
            return refused or find_handler(request, **further)

        setattr(app, "find_handler", find_handler_if_allowed)  # noqa: B010 -- it is a method
        return app

    server.make_app = make_guarded_app


def _script_of_pages() -> str:
    """The digest of the one script that stands in Mage's pages, as a content security policy names it."""
    pages = Path(server.__file__).parent / server.EXPORTS_FOLDER
    # As Tornado renders it, which squeezes white space.
    [script] = re.findall(
        rb"<script>(.+?)</script>", Loader(str(pages)).load("index.html").generate(), re.DOTALL
    )
    return b64encode(hashlib.sha256(script).digest()).decode()


def refusal(request: HTTPServerRequest, allowed_hosts: frozenset[str]) -> "RefusedRequest | None":
    """What answers the request if it may not go on to Mage."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    visit = Visit(request.method or "", request.path, request.query, headers)
    verdict = judge(visit, allowed_hosts)
    if isinstance(verdict, Refusal):
        return RefusedRequest(request, verdict)
    if verdict is Need.SESSION and not has_session(request):
        if visit.is_for_people:
            return RefusedRequest(
                request, Refusal(HTTPStatus.FOUND, "Sign in first."), location=_sign_in_address(request)
            )
        return RefusedRequest(request, Refusal(HTTPStatus.UNAUTHORIZED, "Sign in first."))
    return _too_large_for_sign_in(request, visit)


def has_session(request: HTTPServerRequest) -> bool:
    """Whether the request shows a session that is valid, as Mage's own middleware reads it."""
    headers = request.headers
    token = headers.get("OAUTH-TOKEN") or get_bearer_auth_token_from_headers(headers)
    if not token:
        cookie = parse_cookie_header(headers.get("Cookie", "")).get("oauth_token", "")
        try:
            token = decode_token(cookie).get("token")
        except jwt.PyJWTError:
            return False
    client = Oauth2Application.query_client(OAUTH2_APPLICATION_CLIENT_ID)
    if not token or client is None:
        return False
    session, valid = authenticate_client_and_token(client.id, token)
    return bool(valid and session.user)


def _too_large_for_sign_in(request: HTTPServerRequest, visit: Visit) -> "RefusedRequest | None":
    """Refuses bodies that nobody has signed in for, before they are read."""
    if visit.path != SIGN_IN_PATH or visit.method != "POST":
        return None
    length = request.headers.get("Content-Length", "")
    if length.isdecimal() and int(length) <= _SIGN_IN_MAX_BYTES:
        return None
    limit = f"To sign in takes a body of at most {_SIGN_IN_MAX_BYTES} bytes that says its length."
    return RefusedRequest(request, Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, limit))


def _sign_in_address(request: HTTPServerRequest) -> str:
    wanted = "" if request.uri in {None, "/"} else f"?redirect_url={quote(request.path)}"
    return SIGN_IN_PAGE + wanted


class RefusedRequest(HTTPMessageDelegate):
    """Answers a request at once, in the form of Mage's API, and reads nothing more of it."""

    def __init__(self, request: HTTPServerRequest, verdict: Refusal, location: str = "") -> None:
        self._is_head = request.method == "HEAD"
        self._connection: Any = request.connection
        self._refusal = verdict
        self._location = location

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> None:
        """Answer, and close the connection: the rest of the body would have to be read else."""
        del start_line, headers
        status = self._refusal.status
        error = {"code": status.value, "message": self._refusal.message, "type": status.name.lower()}
        body = json.dumps({"error": error, "status": status.value}).encode()
        answer = HTTPHeaders({"Content-Type": "application/json", "Connection": "close"})
        answer["Content-Length"] = str(len(body))
        if self._location:
            answer["Location"] = self._location
        SecurityHeaders.apply(answer)
        line = ResponseStartLine("HTTP/1.1", status.value, status.phrase)
        self._connection.write_headers(line, answer, None if self._is_head else body)
        self._connection.finish()


class SecurityHeaders(OutputTransform):
    """Gives each answer the headers that browsers heed, and takes from it what invites other sites."""

    page_script: ClassVar[str] = ""

    def __init__(self, request: HTTPServerRequest) -> None:
        del request

    def transform_first_chunk(
        self, status_code: int, headers: HTTPHeaders, chunk: bytes, finishing: bool
    ) -> tuple[int, HTTPHeaders, bytes]:
        """Called by Tornado with the head of each answer."""
        self.apply(headers)
        if finishing and headers.get("Content-Type", "").startswith("text/html"):
            chunk = chunk.replace(b"</head>", HIDING_STYLE + b"</head>", 1)
            if "Content-Length" in headers:
                headers["Content-Length"] = str(len(chunk))
        return status_code, headers, chunk

    @classmethod
    def apply(cls, headers: HTTPHeaders) -> None:
        """Change the headers of one answer."""
        for name in (*_CROSS_ORIGIN_HEADERS, "Server"):
            if name in headers:
                del headers[name]
        for name, value in SECURITY_HEADERS.items():
            headers[name] = value.format(page_script=cls.page_script)


class SignInHandler(ApiResourceListHandler):  # type: ignore[misc]
    """Mage's sign-in by name and password, with a limit on failures; other sites' accounts open nothing."""

    def initialize(self, failures: FailedSignIns) -> None:
        """Called by Tornado with what the route says."""
        super().initialize()
        self._failures = failures

    async def post(self) -> None:
        """Sign in, unless too many from the same address have failed."""
        address = str(self.request.remote_ip)
        if pause := self._failures.begin(address):
            self.set_header("Retry-After", str(pause))
            self._refuse(
                HTTPStatus.TOO_MANY_REQUESTS, f"Too many sign-ins have failed; try again in {pause} s."
            )
            return
        if _names_provider(self.request.body):
            self._refuse(HTTPStatus.BAD_REQUEST, "Only a name and a password open this server.")
            return
        await super().post("sessions")

    def write(self, chunk: Any) -> None:
        """Look at Mage's answer, whose status is 200 whether or not the sign-in succeeded."""
        content = json.loads(chunk) if isinstance(chunk, str | bytes) else chunk
        if isinstance(content, dict) and "session" in content:
            self._failures.take_back(str(self.request.remote_ip))
        super().write(_without_traces(content))

    def _refuse(self, status: HTTPStatus, message: str) -> None:
        self.set_status(status)
        self.write({"error": {"code": status.value, "message": message}, "status": status.value})


def _names_provider(body: bytes) -> bool:
    try:
        session = json.loads(body)["session"]
        return "token" in session or "provider" in session
    except (ValueError, KeyError, TypeError):
        return False


def _without_traces(content: Any) -> Any:
    """An answer for people who have not signed in: Mage's errors come with tracebacks and paths."""
    if not (isinstance(content, dict) and isinstance(content.get("error"), dict)):
        return content
    error = {name: content["error"].get(name) for name in ("code", "message", "type")}
    if error["code"] not in _CLIENT_ERRORS:
        error["message"] = "Mage failed; its log tells more."
    return {**content, "error": error}


class StatusHandler(ApiListHandler):  # type: ignore[misc]
    """Mage's status: all of it with a session, else what the sign-in page needs."""

    def initialize(self) -> None:
        """Called by Tornado with what the route says."""
        super().initialize(resource="statuses", bypass_oauth_check=True, is_health_check=True)

    def write(self, chunk: Any) -> None:
        """Leave out what only people with a session may know."""
        content = json.loads(chunk) if isinstance(chunk, str | bytes) else chunk
        if not has_session(self.request):
            content = _without_traces(content)
            content["statuses"] = [
                {name: status[name] for name in _PUBLIC_STATUS if name in status}
                for status in content.get("statuses", [])
            ]
        super().write(content)
