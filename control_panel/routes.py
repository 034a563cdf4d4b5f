"""The panel's own routes, beside those of Streamlit.

A page that needs one, for a download or an upload that must not pass through memory, adds it to `ROUTES`
with `route(…)`, which checks the role. The guard has checked host, origin and session before.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from control_panel import shell, upload_routes
from control_panel.accounts import Accounts, Role
from control_panel.downloads import download
from control_panel.guard import HEALTH_PATH, SIGN_IN_PATH, account_in
from control_panel.load_report import load_report
from control_panel.observed import METRICS_PATH, serve_metrics
from control_panel.pages import all_pages
from control_panel.sign_in import SignIn

Handler = Callable[[Request], Awaitable[Response]]


def route(path: str, handler: Handler, methods: Sequence[str], role: Role) -> Route:
    """A route for accounts of a role; operators may do whatever viewers may.

    Args:
        path: Starts with `/files/` or another prefix that no page uses.
        handler: Answers the request.
        methods: HTTP methods.
        role: Who may use it.
    """

    async def guarded(request: Request) -> Response:
        account = account_in(request.scope)
        if role is Role.OPERATOR and not account.is_operator:
            message = f"The account {account.name} is read-only. Sign in as an operator to do this."
            return JSONResponse({"error": message}, 403)
        return await handler(request)

    return Route(path, guarded, methods=list(methods))


ROUTES: Final[list[Route]] = [
    route("/files/jobs/{job_id}/{name}", download, ["GET"], Role.VIEWER),
    route("/files/loads/{sha256}/report.csv", load_report, ["GET"], Role.OPERATOR),
    route("/files/upload/{name}", upload_routes.show_file, ["GET"], Role.OPERATOR),
    route("/files/uploads", upload_routes.begin, ["POST"], Role.OPERATOR),
    route("/files/uploads/{upload_id}", upload_routes.show, ["GET"], Role.OPERATOR),
    route("/files/uploads/{upload_id}", upload_routes.receive, ["PUT"], Role.OPERATOR),
    route("/files/uploads/{upload_id}", upload_routes.remove, ["DELETE"], Role.OPERATOR),
]
"""Routes of pages."""


def make_routes(accounts: Accounts) -> list[BaseRoute]:
    """All routes of the panel's own."""
    sign_in = SignIn(accounts)
    return [
        Route(HEALTH_PATH, _is_alive, methods=["GET"]),
        Route(METRICS_PATH, serve_metrics, methods=["GET"]),
        Route(SIGN_IN_PATH, sign_in.show, methods=["GET"]),
        Route(SIGN_IN_PATH, sign_in.sign_in, methods=["POST"]),
        Route("/sign-out", sign_in.sign_out, methods=["POST"]),
        *(
            Route("/" if page.info.is_start else f"/{page.info.path}", _show_shell, methods=["GET"])
            for page in all_pages()
        ),
        *(
            Route(f"/{page.info.path}", _to_start, methods=["GET"])
            for page in all_pages()
            if page.info.is_start
        ),
        *ROUTES,
    ]


async def _to_start(request: Request) -> Response:
    """Lead from the path of the start page, which people guess, to the path that Streamlit gives it."""
    return RedirectResponse(f"/?{request.url.query}" if request.url.query else "/", 303)


async def _show_shell(_: Request) -> Response:
    return HTMLResponse(shell.html(), headers={"cache-control": "no-cache"})


async def _is_alive(_: Request) -> Response:
    return PlainTextResponse("ok\n")
