"""What every request of the panel passes first."""

import pytest
from pydantic import SecretStr
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from clickstream.settings import PanelSettings
from clickstream.sign_in import FAILURES_ALLOWED
from control_panel.accounts import Accounts, Role
from control_panel.guard import allowed_host_check
from tests.unit.control_panel.conftest import ORIGIN, sign_in

SAME_ORIGIN = {"origin": ORIGIN}
STREAM = "ws://127.0.0.1:8501/_stcore/stream"


def operator(client: TestClient) -> TestClient:
    assert sign_in(client, "operator", "operator-password").status_code == 303
    return client


def test_health_is_open(client: TestClient) -> None:
    assert client.get("/health").status_code == 200


def test_a_page_leads_to_the_sign_in_and_back(client: TestClient) -> None:
    answer = client.get("/files/seen?day=1", headers={"accept": "text/html"})

    assert (answer.status_code, answer.headers["location"]) == (
        303,
        "/sign-in?next=%2Ffiles%2Fseen%3Fday%3D1",
    )
    signed_in = sign_in(client, "viewer", "viewer-password", next="/files/seen?day=1")
    assert signed_in.headers["location"] == "/files/seen?day=1"
    assert client.get("/files/seen").json() == {"name": "viewer"}


def test_other_requests_without_a_session_are_refused(client: TestClient) -> None:
    assert client.get("/files/seen").status_code == 401


def test_a_websocket_without_a_session_is_refused(client: TestClient) -> None:
    with pytest.raises(WebSocketDisconnect) as closed, client.websocket_connect(STREAM, headers=SAME_ORIGIN):
        pass

    assert closed.value.reason.startswith("Sign in")


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://[", ""], ids=["other site", "null", "no URL", "absent"]
)
def test_a_websocket_from_elsewhere_is_refused(client: TestClient, origin: str) -> None:
    headers = {"origin": origin} if origin else {}
    with (
        pytest.raises(WebSocketDisconnect) as closed,
        operator(client).websocket_connect(STREAM, headers=headers),
    ):
        pass

    assert "Origin" in closed.value.reason


def test_a_websocket_of_the_panel_itself_is_accepted(client: TestClient) -> None:
    with operator(client).websocket_connect(STREAM, headers=SAME_ORIGIN):
        pass


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://[", ""], ids=["other site", "null", "no URL", "absent"]
)
def test_a_change_from_elsewhere_is_refused(client: TestClient, origin: str) -> None:
    answer = operator(client).post("/files/changed", headers={"origin": origin} if origin else {})

    assert answer.status_code == 403
    assert "Origin header must name 127.0.0.1:8501" in answer.json()["error"]


def test_an_operator_may_change(client: TestClient) -> None:
    assert operator(client).post("/files/changed", headers=SAME_ORIGIN).json() == {"name": "operator"}


def test_a_viewer_may_not_change(client: TestClient) -> None:
    sign_in(client, "viewer", "viewer-password")

    answer = client.post("/files/changed", headers=SAME_ORIGIN)

    assert answer.status_code == 403
    assert "The account viewer is read-only" in answer.json()["error"]


def test_an_unknown_host_is_refused_by_name(client: TestClient) -> None:
    answer = client.get("/health", headers={"host": "rebound.example:8501"})

    assert answer.status_code == 400
    assert "CLICKSTREAM_PANEL__ALLOWED_HOSTS" in answer.json()["error"]


@pytest.mark.parametrize(
    ("path", "host", "status"),
    [
        pytest.param("/metrics", "panel:8501", 200, id="Prometheus by its name of the panel"),
        pytest.param("/metrics", "rebound.example:8501", 400, id="another site's name"),
        pytest.param("/health", "panel:8501", 400, id="Prometheus' name for anything else"),
    ],
)
def test_names_that_prometheus_uses_are_for_metrics_alone(
    client: TestClient, path: str, host: str, status: int
) -> None:
    assert client.get(path, headers={"host": host}).status_code == status


@pytest.mark.parametrize(
    ("host", "is_allowed"),
    [
        ("127.0.0.1:8501", True),
        ("LOCALHOST", True),
        ("localhost.:8501", True),
        ("[::1]:8501", True),
        ("localhost.evil.example", False),
        ("127.0.0.1@evil.example", False),
        ("", False),
        ("[", False),
    ],
)
def test_only_listed_hosts_are_allowed(host: str, is_allowed: bool) -> None:
    assert allowed_host_check("127.0.0.1, localhost,::1")(host) is is_allowed


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/_stcore/metrics"),
        ("POST", "/_stcore/agent/interact"),
        ("PUT", "/_stcore/upload_file/a/b"),
    ],
)
def test_what_streamlit_leaves_open_is_closed(client: TestClient, method: str, path: str) -> None:
    assert operator(client).request(method, path, headers=SAME_ORIGIN).status_code == 404


@pytest.mark.parametrize("path", ["/health", "/sign-in", "/files/seen", "/_stcore/metrics"])
def test_every_answer_has_security_headers(client: TestClient, path: str) -> None:
    headers = client.get(path).headers

    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cross-origin-opener-policy"] == headers["cross-origin-resource-policy"] == "same-origin"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "'unsafe-eval'" not in headers["content-security-policy"]


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("operator", "wrong"),
        ("nobody", "operator-password"),
        ("", ""),
        ("viewer", "operator-password"),
        ("ö", "ß"),
    ],
)
def test_a_wrong_name_or_password_is_refused(client: TestClient, name: str, password: str) -> None:
    answer = sign_in(client, name, password)

    assert answer.status_code == 401
    assert client.get("/files/seen").status_code == 401


def test_an_account_without_a_password_opens_nothing(panel_settings: PanelSettings) -> None:
    unset = panel_settings.model_copy(update={"viewer_password": SecretStr("")})

    assert Accounts(unset).sign_in("viewer", "") is None


def test_failed_sign_ins_are_limited(client: TestClient) -> None:
    for number in range(FAILURES_ALLOWED):
        forged = {"x-forwarded-for": f"10.0.0.{number}"}
        assert sign_in(client, "operator", "guess", forged).status_code == 401

    answer = sign_in(client, "operator", "operator-password")

    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0


def test_an_account_of_ones_own_buys_no_guesses_at_others(client: TestClient) -> None:
    for _ in range(FAILURES_ALLOWED):
        assert sign_in(client, "viewer", "viewer-password").status_code == 303
        assert sign_in(client, "operator", "guess").status_code == 401

    assert sign_in(client, "operator", "guess").status_code == 429


def test_a_long_form_is_refused(client: TestClient) -> None:
    assert sign_in(client, "operator", "x" * 10_000).status_code == 413


@pytest.mark.parametrize(
    "target", ["//evil.example", "https://evil.example", "/\\evil.example", "", "/a\r\nb: c"]
)
def test_the_sign_in_leads_to_no_other_site(client: TestClient, target: str) -> None:
    assert sign_in(client, "operator", "operator-password", next=target).headers["location"] == "/"


def test_the_page_shows_the_target_as_text(client: TestClient) -> None:
    assert '"><script>' not in client.get("/sign-in", params={"next": '/"><script>'}).text


def test_signing_out_ends_copies_of_the_cookie_too(client: TestClient, accounts: Accounts) -> None:
    cookie = operator(client).cookies[accounts.cookie_name]

    client.post("/sign-out", headers=SAME_ORIGIN)

    assert accounts.account_of(cookie) is None
    client.cookies.set(accounts.cookie_name, cookie)
    assert client.get("/files/seen").status_code == 401


def test_the_cookie_is_kept_from_scripts_and_other_sites(client: TestClient) -> None:
    cookie = sign_in(client, "operator", "operator-password").headers["set-cookie"].lower()

    assert "httponly" in cookie
    assert "samesite=lax" in cookie


def test_behind_tls_the_cookie_is_kept_from_plain_connections(client: TestClient) -> None:
    answer = sign_in(client, "operator", "operator-password", {"x-forwarded-proto": "https"})

    assert "secure" in answer.headers["set-cookie"].lower()


def test_a_forged_cookie_opens_nothing(client: TestClient, accounts: Accounts) -> None:
    cookie = operator(client).cookies[accounts.cookie_name]

    assert accounts.account_of(cookie) is not None
    assert accounts.account_of(cookie[:-2]) is None
    assert accounts.account_of("operator") is None


def test_a_changed_password_ends_sessions(accounts: Accounts, panel_settings: PanelSettings) -> None:
    account = accounts.sign_in("viewer", "viewer-password")
    assert account is not None
    cookie = accounts.cookie_of(account)
    changed = panel_settings.model_copy(update={"operator_password": panel_settings.viewer_password})

    assert Accounts(changed).account_of(cookie) is None


def test_without_sign_in_everybody_is_an_operator(panel_settings: PanelSettings) -> None:
    account = Accounts(panel_settings.model_copy(update={"sign_in": False})).account_of(None)

    assert account is not None
    assert account.role is Role.OPERATOR


def test_a_form_with_too_many_fields_is_refused(client: TestClient) -> None:
    answer = client.post(
        "/sign-in", data={f"field{number}": "x" for number in range(20)}, headers=SAME_ORIGIN
    )

    assert answer.status_code == 413
    assert "too many fields" in answer.text


def test_a_changed_port_ends_no_session(panel_settings: PanelSettings) -> None:
    before = Accounts(panel_settings)
    after = Accounts(panel_settings.model_copy(update={"port": panel_settings.port + 1}))
    other = Accounts(panel_settings.model_copy(update={"cookie_secret": SecretStr("of another panel")}))
    signed_in = before.sign_in("operator", "operator-password")
    assert signed_in is not None
    cookies = {before.cookie_name: before.cookie_of(signed_in)}

    assert after.account_in(cookies) == signed_in
    assert other.account_in(cookies) is None


def test_signing_out_ends_the_sessions_of_former_ports_too(client: TestClient, accounts: Accounts) -> None:
    former = accounts.sign_in("viewer", "viewer-password")
    assert former is not None
    client.cookies.set("clickstream_panel_1", accounts.cookie_of(former))

    operator(client).post("/sign-out", headers=SAME_ORIGIN)

    assert accounts.account_of(accounts.cookie_of(former)) is None
    assert client.get("/files/seen").status_code == 401
