"""The panel's guard and routes before a small application that stands where Streamlit does."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket

from clickstream.settings import PanelSettings, get_settings
from control_panel.accounts import Accounts, Role
from control_panel.guard import Guard, account_in, allowed_host_check
from control_panel.observed import Observed
from control_panel.routes import make_routes, route
from control_panel.server import accounts as panel_accounts
from stack.env_file import ensure_env_file, setting_entries
from stack.processes import reserved_ports

ORIGIN = "http://127.0.0.1:8501"
PORTS = [entry.variable for entry in setting_entries() if entry.variable.endswith("PORT")]


async def who(request: Request) -> Response:
    return JSONResponse({"name": account_in(request.scope).name})


async def stream(socket: WebSocket) -> None:
    await socket.accept()
    await socket.receive()


@pytest.fixture
def panel_settings() -> PanelSettings:
    return PanelSettings(
        viewer_password=SecretStr("viewer-password"),
        operator_password=SecretStr("operator-password"),
        cookie_secret=SecretStr("cookie-secret"),
    )


@pytest.fixture
def accounts(panel_settings: PanelSettings) -> Accounts:
    return Accounts(panel_settings)


@pytest.fixture
def client(accounts: Accounts) -> Iterator[TestClient]:
    """A browser on the panel, not signed in."""
    app = Starlette(
        routes=[
            *make_routes(accounts),
            route("/files/seen", who, ["GET"], Role.VIEWER),
            route("/files/changed", who, ["POST"], Role.OPERATOR),
            Route("/_stcore/metrics", who),
            Route("/_stcore/agent/interact", who, methods=["POST"]),
            Route("/_stcore/upload_file/a/b", who, methods=["PUT"]),
            WebSocketRoute("/_stcore/stream", stream),
        ]
    )
    guarded = Guard(
        app,
        accounts=accounts,
        is_allowed_host=allowed_host_check("127.0.0.1,localhost"),
        is_allowed_for_metrics=allowed_host_check("panel"),
    )
    with TestClient(Observed(guarded), base_url=ORIGIN, follow_redirects=False) as running:
        yield running


def sign_in(
    client: TestClient, name: str, password: str, headers: Mapping[str, str] | None = None, **fields: str
) -> httpx.Response:
    form = {"name": name, "password": password, **fields}
    answer: httpx.Response = client.post("/sign-in", data=form, headers={"origin": ORIGIN, **(headers or {})})
    return answer


@pytest.fixture
def nothing_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Settings of a stack that is not there; without sign-in, so everybody is an operator."""
    for entry in setting_entries():
        monkeypatch.delenv(entry.variable, raising=False)
    monkeypatch.setenv("CLICKSTREAM_ENV_FILE", str(tmp_path / ".env"))
    ensure_env_file(tmp_path / ".env")
    monkeypatch.setenv("CLICKSTREAM_STACK__DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("CLICKSTREAM_PANEL__SIGN_IN", "false")
    with reserved_ports("127.0.0.1", len(PORTS)) as ports:
        for name, port in zip(PORTS, ports, strict=True):
            monkeypatch.setenv(name, str(port))
        _forget()
        yield
        _forget()


def _forget() -> None:
    get_settings.cache_clear()
    panel_accounts.cache_clear()
