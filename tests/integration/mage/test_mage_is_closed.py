"""Mage as the stack starts it: who gets in, what it writes, whom it calls."""

import asyncio
import base64
import hmac
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
import websockets

from clickstream.sign_in import FAILURES_ALLOWED
from stack.lifecycle import Stack
from stack.processes import processes_of
from stack.services import MAGE_PROJECT
from tests.integration.mage.project_files import project_files

# The key of Mage's own web pages; public, and the same everywhere.
FRONTEND_KEY = "zkWlN0PkIKSN0C11CfUHUj84OT5XOJ6tDZ6bDRO2"
TRIGGER_MATCHER = {"event_matchers": [{"pipeline_uuid": "rebuild_marts", "pattern": {"source": "x"}}]}


def address_of(stack: Stack) -> str:
    return f"127.0.0.1:{stack.settings.mage.port}"


def client_of(stack: Stack, **further: Any) -> httpx.Client:
    """A client that is patient with a busy machine."""
    base_url, headers = f"http://{address_of(stack)}", {"X-API-KEY": FRONTEND_KEY}
    return httpx.Client(base_url=base_url, headers=headers, timeout=60, trust_env=False, **further)


@pytest.fixture(scope="module")
def anybody(stack: Stack) -> Iterator[httpx.Client]:
    """Somebody who has not signed in."""
    with client_of(stack) as client:
        yield client


def sign_in(client: httpx.Client, session: Mapping[str, str]) -> dict[str, Any]:
    answer: dict[str, Any] = client.post("/api/sessions", json={"session": session}).json()
    return answer


@pytest.fixture(scope="module")
def owner_token(stack: Stack, anybody: httpx.Client) -> str:
    mage = stack.settings.mage
    session = {"email": mage.owner_email, "password": mage.owner_password.get_secret_value()}
    return str(sign_in(anybody, session)["session"]["token"])


@pytest.fixture(scope="module")
def owner(stack: Stack, owner_token: str) -> Iterator[httpx.Client]:
    """The owner's browser."""
    with client_of(stack, cookies={"oauth_token": owner_token}) as client:
        yield client


@pytest.mark.parametrize("name", ["admin@admin.com", "admin"])
def test_mages_default_owner_cannot_sign_in(anybody: httpx.Client, name: str) -> None:
    answer = sign_in(anybody, {"email": name, "password": "admin"})

    assert answer["error"]["message"] == "Email/username and/or password invalid."


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/projects"),
        ("GET", "/api/pipelines"),
        ("GET", "/api/pipelines/process_events"),
        ("GET", "/api/pipelines/process_events/blocks/load_raw_events"),
        ("GET", "/api/files"),
        ("GET", "/api/file_contents/metadata.yaml"),
        ("GET", "/api/users"),
        ("POST", "/api/users"),
        ("GET", "/api/secrets"),
        ("GET", "/api/schedulers"),
        ("POST", "/api/pipeline_schedules/1/pipeline_runs"),
        ("GET", "/api/pipelines/process_events/block_outputs/finish_run/downloads"),
        ("GET", "/api/pipelines/process_events/blocks/finish_run/analyses"),
        ("GET", "/event-streams/1"),
        ("GET", "/websocket/"),
        ("GET", "/monaco-editor/min/vs/loader.js"),
        ("OPTIONS", "/api/pipelines"),
        ("PUT", "/api/sessions/1"),
        ("POST", "/api/statuses"),
        ("GET", "/metrics"),
    ],
)
def test_nothing_is_told_without_signing_in(anybody: httpx.Client, method: str, path: str) -> None:
    answer = anybody.request(method, path, json=None if method == "GET" else {})

    if answer.has_redirect_location:
        assert answer.headers["location"].startswith("/sign-in")
    else:
        assert answer.status_code == httpx.codes.UNAUTHORIZED
    assert set(answer.json()) == {"error", "status"}


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/api/events", {"event": {"source": "x"}}),
        ("POST", "/api/event_matchers", TRIGGER_MATCHER),
        ("GET", "/api/event_matchers", None),
        ("PUT", "/api/event_matchers/1", {"event_matcher": {}}),
        ("DELETE", "/api/event_matchers/1", None),
        ("GET", "/api/browser_items", None),
        ("GET", "/api/browser_items/%2Fetc%2Fpasswd", None),
        ("POST", "/api/runs", {}),
        ("POST", "/api/runs/token", {}),
        ("POST", "/api/pipeline_schedules/1/api_trigger", {}),
        ("POST", "/api/pipeline_schedules/1/pipeline_runs/token", {}),
        ("POST", "/api/downloads", {}),
        ("GET", "/api/downloads/token", None),
        ("POST", "/api/code_executions", {}),
        ("GET", "/api/oauths", None),
        ("GET", "/websocket/terminal", None),
        ("GET", "/terminal", None),
    ],
)
def test_what_nobody_needs_is_gone(
    anybody: httpx.Client, owner: httpx.Client, method: str, path: str, body: object
) -> None:
    for client in (anybody, owner):
        assert client.request(method, path, json=body).status_code == httpx.codes.NOT_FOUND


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"Origin": "http://evil.example"}, id="another site"),
        pytest.param({"Origin": "http://127.0.0.1:1"}, id="another port"),
        pytest.param({"Origin": "null"}, id="a sandbox"),
        pytest.param({"Sec-Fetch-Site": "cross-site"}, id="another site, said by the browser"),
        pytest.param({"Sec-Fetch-Site": "same-site"}, id="a neighbour, said by the browser"),
    ],
)
@pytest.mark.parametrize("content_type", ["application/json", "text/plain"])
def test_other_pages_cannot_use_the_owners_session(
    owner: httpx.Client, headers: dict[str, str], content_type: str
) -> None:
    body = json.dumps({"pipeline_run": {"variables": {}}})
    answer = owner.post(
        "/api/pipeline_schedules/1/pipeline_runs",
        content=body,
        headers={**headers, "Content-Type": content_type},
    )

    assert answer.status_code == httpx.codes.FORBIDDEN
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("host", ["evil.example", "evil.example:6789", "127.0.0.1.evil.example", "[", ""])
def test_names_that_others_point_here_are_refused(owner: httpx.Client, host: str) -> None:
    for path in ("/", "/sign-in", "/api/statuses", "/api/pipelines"):
        answer = owner.get(path, headers={"Host": host})
        # Tornado itself refuses what cannot be a name.
        assert answer.status_code in {httpx.codes.MISDIRECTED_REQUEST, httpx.codes.BAD_REQUEST}


def test_pages_do_not_show_the_way_to_the_terminal(owner: httpx.Client) -> None:
    page = owner.get("/pipelines")

    assert page.status_code == 200
    assert 'a[href="/terminal"] { display: none' in page.text
    assert page.text.rstrip().endswith("</html>")


@pytest.mark.parametrize("path", ["/pipelines", "/overview", "/api/pipelines", "/_next/static/none.js"])
def test_answers_bear_security_headers_and_invite_no_other_site(owner: httpx.Client, path: str) -> None:
    headers = owner.get(path).headers

    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cross-origin-opener-policy"] == headers["cross-origin-resource-policy"] == "same-origin"
    assert "default-src 'self'" in headers["content-security-policy"]
    assert "'unsafe-eval'" not in headers["content-security-policy"]
    assert not [name for name in headers if name.startswith("access-control-")]
    assert "server" not in headers


def test_the_status_tells_nothing_of_the_machine_without_signing_in(
    anybody: httpx.Client, owner: httpx.Client
) -> None:
    (told,) = anybody.get("/api/statuses").json()["statuses"]
    (whole,) = owner.get("/api/statuses").json()["statuses"]

    assert told["scheduler_status"] == "running"
    assert not [name for name in told if "path" in name or "process" in name or "uuid" in name]
    assert whole["repo_path"] == str(MAGE_PROJECT)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/api/statuses?_format=with_activity_details&project_uuid=1", None),
        ("POST", "/api/sessions", {"session": {"email": {"a": 1}, "password": ["x"]}}),
    ],
)
def test_errors_tell_nothing_of_the_machine_without_signing_in(
    stack: Stack, method: str, path: str, body: object
) -> None:
    # An address of its own, as a sign-in that fails counts.
    with client_of(stack, transport=httpx.HTTPTransport(local_address="127.0.0.78")) as stranger:
        answer = stranger.request(method, path, json=body)

    assert set(answer.json()["error"]) == {"code", "message", "type"}
    assert ".py" not in answer.text


@pytest.mark.parametrize(
    "query",
    ["redirect_url=//evil.example", "redirect_url=javascript:alert(1)", "redirect_url=/%5Cevil.example"],
)
def test_the_sign_in_leads_to_no_other_site(anybody: httpx.Client, query: str) -> None:
    assert anybody.get(f"/sign-in?{query}").status_code == httpx.codes.BAD_REQUEST
    assert anybody.get("/sign-in?redirect_url=/pipelines").status_code == httpx.codes.OK


def test_accounts_of_other_sites_do_not_sign_in(anybody: httpx.Client) -> None:
    answer = anybody.post("/api/sessions", json={"session": {"token": "x", "provider": "google"}})

    assert answer.status_code == httpx.codes.BAD_REQUEST


def test_the_sign_in_takes_no_long_bodies(anybody: httpx.Client) -> None:
    def endless() -> Iterator[bytes]:
        yield b" " * 10

    for content in (b" " * 5_000, endless()):
        answer = anybody.post("/api/sessions", content=content)
        assert answer.status_code == httpx.codes.REQUEST_ENTITY_TOO_LARGE


def test_passwords_cannot_be_guessed_at_speed(stack: Stack) -> None:
    # Nobody has this name, so no hash is computed, which would take a minute for all guesses if the
    # machine is busy.
    guess = {"email": "nobody@localhost.localdomain", "password": "wrong"}
    # An address of its own, so that nobody else has to wait for the limit to pass.
    with client_of(stack, transport=httpx.HTTPTransport(local_address="127.0.0.77")) as guesser:
        answers = [
            guesser.post("/api/sessions", json={"session": guess}) for _ in range(FAILURES_ALLOWED + 1)
        ]

    codes = [answer.status_code for answer in answers]
    assert httpx.codes.TOO_MANY_REQUESTS not in codes[:FAILURES_ALLOWED]
    assert codes[-1] == httpx.codes.TOO_MANY_REQUESTS
    assert 0 < int(answers[-1].headers["retry-after"]) <= 60


def signed_with(key: str, token: str) -> str:
    """The token with its signature (HMAC-SHA256, as Mage signs) made by another key."""
    content = token.rpartition(".")[0]
    signature = hmac.digest(key.encode(), content.encode(), "sha256")
    return f"{content}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"


def test_a_session_signed_with_mages_public_constant_is_refused(
    stack: Stack, anybody: httpx.Client, owner_token: str
) -> None:
    own_key = stack.settings.mage.jwt_secret.get_secret_value()
    assert signed_with(own_key, owner_token) == owner_token
    forged = {"Cookie": f"oauth_token={signed_with('materia', owner_token)}"}

    assert anybody.get("/api/projects", headers=forged).status_code == httpx.codes.UNAUTHORIZED


def test_the_owner_gets_in(owner: httpx.Client) -> None:
    (project,) = owner.get("/api/projects").json()["projects"]

    assert project["repo_path"] == str(MAGE_PROJECT)
    assert project["help_improve_mage"] is False
    assert owner.get("/pipelines").status_code == httpx.codes.OK


def test_the_newest_version_is_not_asked_for(owner: httpx.Client) -> None:
    (project,) = owner.get("/api/projects").json()["projects"]

    assert project["latest_version"] == project["version"] == "0.9.80"


def refusal_of_websocket(stack: Stack, headers: Mapping[str, str]) -> int:
    """The status with which the websocket of the editor is refused; 101 if it opens."""

    async def connect() -> int:
        try:
            async with websockets.connect(
                f"ws://{address_of(stack)}/websocket/", additional_headers=dict(headers)
            ):
                return int(httpx.codes.SWITCHING_PROTOCOLS)
        except websockets.InvalidStatus as refusal:
            return refusal.response.status_code

    return asyncio.run(connect())


def test_the_websocket_opens_for_the_owners_own_page_alone(stack: Stack, owner_token: str) -> None:
    session = {"Cookie": f"oauth_token={owner_token}"}

    assert refusal_of_websocket(stack, session) == httpx.codes.SWITCHING_PROTOCOLS
    own = {**session, "Origin": f"http://{address_of(stack)}"}
    assert refusal_of_websocket(stack, own) == httpx.codes.SWITCHING_PROTOCOLS
    assert refusal_of_websocket(stack, {}) == httpx.codes.UNAUTHORIZED
    assert refusal_of_websocket(stack, {**session, "Origin": "http://evil.example"}) == httpx.codes.FORBIDDEN


def addresses_of(process: psutil.Process) -> set[str]:
    try:
        connections = process.net_connections(kind="inet")
    except psutil.NoSuchProcess:
        return set()
    return {end.ip for connection in connections for end in (connection.laddr, connection.raddr) if end}


def test_its_processes_talk_to_this_machine_alone(stack: Stack) -> None:
    addresses = [addresses_of(process) for process in processes_of(stack.paths.data, "mage")]

    assert len(addresses) >= 2
    assert set().union(*addresses) == {"127.0.0.1"}


def test_it_keeps_what_it_writes_in_the_data_directory(stack: Stack) -> None:
    home = stack.paths.home_of("mage")

    assert (home / "mage-ai.db").is_file()
    assert (home / "ipython").is_dir()


def test_the_editors_kernel_runs_only_what_is_signed(stack: Stack) -> None:
    commands = [process.cmdline() for process in processes_of(stack.paths.data, "mage")]
    files = [Path(words[words.index("-f") + 1]) for words in commands if "ipykernel_launcher" in words]

    assert files
    for connection in files:
        assert len(json.loads(connection.read_text())["key"]) >= 32
        assert connection.stat().st_mode & 0o077 == 0


def test_running_it_changes_no_file_of_the_project(owner: httpx.Client, files_before: dict[str, str]) -> None:
    owner.get("/api/pipelines")

    assert project_files() == files_before
