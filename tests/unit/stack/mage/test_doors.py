"""Who may ask Mage for what, as far as a request's head tells."""

from http import HTTPStatus

import pytest

from stack.mage.doors import Need, Refusal, Visit, judge

HOSTS = frozenset({"localhost"})


def verdict(method: str = "GET", path: str = "/", query: str = "", **headers: str) -> Need | HTTPStatus:
    named = {"host": "localhost:6789"} | {name.replace("_", "-"): value for name, value in headers.items()}
    judged = judge(Visit(method, path, query, named), HOSTS)
    return judged.status if isinstance(judged, Refusal) else judged


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/sign-in"),
        ("HEAD", "/sign-in"),
        ("GET", "/_next/static/chunks/main.js"),
        ("GET", "/fonts/a.woff2"),
        ("GET", "/images/sessions/abstract.png"),
        ("GET", "/favicon.ico"),
        ("GET", "/api/status"),
        ("GET", "/api/statuses"),
        ("POST", "/api/sessions"),
    ],
)
def test_the_sign_in_page_and_what_it_needs_are_public(method: str, path: str) -> None:
    assert verdict(method, path) == Need.NOTHING


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/sign-in/"),
        ("GET", "/sign-in/x"),
        ("GET", "//sign-in"),
        ("POST", "/sign-in"),
        ("GET", "/_next/static/"),
        ("GET", "/api/sessions"),
        ("PUT", "/api/sessions/1"),
        ("POST", "/api/sessions/1"),
        ("POST", "/api/statuses"),
        ("GET", "/api/statuses/1"),
        ("GET", "/monaco-editor/loader.js"),
        ("GET", "/websocket/"),
        ("GET", "/a/path/that/nobody/knows"),
        ("BREW", "/api/pipelines"),
    ],
)
def test_everything_else_needs_a_session(method: str, path: str) -> None:
    assert verdict(method, path) == Need.SESSION


@pytest.mark.parametrize(
    "path",
    [
        "/api/browser_item",
        "/api/Browser_Items/%2Fetc%2Fpasswd",
        "/api/browser__items",
        "/api/oauth_access_token",
        "/api/pipelines/p/event_matcher",
        "/api/RUN/token",
    ],
)
def test_a_route_that_is_gone_is_gone_however_mage_may_spell_it(path: str) -> None:
    assert verdict("GET", path) == HTTPStatus.NOT_FOUND


@pytest.mark.parametrize("path", ["/api/pipelines/p/blocks/events", "/api/blocks/runs", "/pipelines/p/runs"])
def test_what_bears_the_name_of_a_route_that_is_gone_stays(path: str) -> None:
    assert verdict("GET", path) == Need.SESSION


@pytest.mark.parametrize(
    ("host", "allowed"),
    [
        ("localhost", True),
        ("LOCALHOST:6789", True),
        ("127.0.0.1:6789", True),
        ("192.168.1.7", True),
        ("[::1]:6789", True),
        ("evil.example", False),
        ("localhost.evil.example", False),
        ("127.0.0.1.evil.example", False),
        ("[::1", False),
        ("", False),
    ],
)
def test_only_names_of_the_server_and_addresses_are_known(host: str, allowed: bool) -> None:
    expected = Need.NOTHING if allowed else HTTPStatus.MISDIRECTED_REQUEST
    assert verdict("GET", "/sign-in", host=host) == expected


def test_a_star_allows_any_name() -> None:
    visit = Visit("GET", "/sign-in", "", {"host": "mage.example"})
    assert judge(visit, frozenset({"*"})) is Need.NOTHING


@pytest.mark.parametrize(
    ("headers", "method", "path", "allowed"),
    [
        pytest.param({"origin": "http://localhost:6789"}, "POST", "/api/x", True, id="own page"),
        pytest.param({"origin": "https://localhost:6789"}, "POST", "/api/x", True, id="own page by a proxy"),
        pytest.param({"origin": "http://localhost:8000"}, "POST", "/api/x", False, id="another port"),
        pytest.param({"origin": "null"}, "POST", "/api/sessions", False, id="a sandbox signing in"),
        pytest.param({"origin": ""}, "POST", "/api/x", False, id="an empty origin"),
        pytest.param({"origin": "http://["}, "POST", "/api/x", False, id="an origin that is not a URL"),
        pytest.param({"origin": "http://x"}, "GET", "/websocket/", False, id="a websocket"),
        pytest.param({"sec_fetch_site": "cross-site"}, "GET", "/api/x", False, id="a picture's address"),
        pytest.param(
            {"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate"},
            "GET",
            "/pipelines",
            True,
            id="a link",
        ),
        pytest.param(
            {"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate"},
            "GET",
            "/api/x",
            False,
            id="to data",
        ),
        pytest.param(
            {"sec_fetch_site": "same-site", "sec_fetch_mode": "navigate"},
            "POST",
            "/pipelines",
            False,
            id="a form",
        ),
    ],
)
def test_browsers_may_use_it_from_its_own_pages_alone(
    headers: dict[str, str], method: str, path: str, allowed: bool
) -> None:
    assert (verdict(method, path, **headers) != HTTPStatus.FORBIDDEN) is allowed
