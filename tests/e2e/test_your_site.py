"""What docs/your-site.md tells people to do, done: with its settings and tags, behind the real proxy."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from playwright.sync_api import Browser, Page

from clickstream.settings import PROJECT_ROOT
from stack.processes import free_port
from tests.integration.api.service import ApiStack, OwnApi, Record, event
from tests.waiting import wait_until

GUIDE: Final = (PROJECT_ROOT / "docs" / "your-site.md").read_text()
SITE: Final = "https://www.shop.example"
NAME: Final = "stats.shop.example"


def example(language: str, containing: str) -> str:
    """The one example of the guide in a language that holds a text."""
    blocks = re.findall(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL)
    [text] = [block for block in blocks if containing in block]
    return str(text)


@dataclass
class Installation:
    """The service behind the proxy of the guide.

    Attributes:
        address: Where browsers reach it.
        port: The proxy's port.
        key: A write key.
        service: The service itself.
    """

    address: str
    port: int
    key: str
    service: OwnApi

    def tagged(self, html: str) -> str:
        """An example of the guide with this address and key."""
        return html.replace(f"https://{NAME}", self.address).replace("YOUR-WRITE-KEY", self.key)


@pytest.fixture(scope="module")
def installation(api: ApiStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    folder = tmp_path_factory.mktemp("proxy")
    lines = example("sh", "CORS_ORIGINS").splitlines()
    settings = dict(line.removeprefix("CLICKSTREAM_API__").lower().split("=", 1) for line in lines)
    command = [sys.executable, "-m", "clickstream.cli.app", "key", "create", "www.shop.example"]
    key = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    with OwnApi(api, folder / "api.log", **settings) as service:
        port = free_port("127.0.0.1")
        with _proxy(folder, port, service):
            yield Installation(f"https://{NAME}:{port}", port, key, service)


def _proxy(folder: Path, port: int, service: OwnApi) -> Any:
    """Caddy with the guide's configuration, on a free port and with a certificate that it makes itself."""
    upstream = service.url.removeprefix("http://")
    text = example("caddyfile", NAME).replace("127.0.0.1:8000", upstream)
    text = text.replace(f"{NAME} {{", f"{NAME}:{port} {{\n\ttls internal", 1)
    options = "{\n\tadmin off\n\tauto_https disable_redirects\n\tskip_install_trust\n}\n"
    (folder / "Caddyfile").write_text(options + text)
    caddy = shutil.which("caddy", path=str(Path(sys.executable).parent))
    assert caddy, "the locked environment has it"
    with (folder / "caddy.log").open("wb") as log:
        process = subprocess.Popen(
            [caddy, "run", "--config", str(folder / "Caddyfile")],
            env={
                **os.environ,
                "HOME": str(folder),
                "XDG_DATA_HOME": str(folder),
                "XDG_CONFIG_HOME": str(folder),
            },
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    return _Stopping(process)


class _Stopping:
    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(timeout=30)


def request(installation: Installation, method: str, path: str, **keywords: Any) -> httpx.Response:
    """A request from another address of this machine, so that the proxy's and the client's differ."""
    transport = httpx.HTTPTransport(verify=False, local_address="127.0.0.2")
    with httpx.Client(transport=transport, trust_env=False, timeout=20) as client:
        headers = {"Host": f"{NAME}:{installation.port}", **keywords.pop("headers", {})}
        address = f"https://127.0.0.1:{installation.port}{path}"
        return client.request(method, address, headers=headers, extensions={"sni_hostname": NAME}, **keywords)


def events_of(read: Any, session_id: str) -> list[dict[str, Any]]:
    records: list[Record] = read()
    return [one for record in records for one in record.events if one["session_id"] == session_id]


@pytest.fixture(scope="module", autouse=True)
def proxy_answers(installation: Installation) -> None:
    def answers() -> bool:
        try:
            return request(installation, "GET", "/tracker.js").status_code == 200
        except httpx.TransportError:
            return False

    wait_until(answers, "the proxy answers")


def test_an_event_through_the_proxy_has_the_clients_own_address(
    api: ApiStack, installation: Installation
) -> None:
    with api.records() as read:
        answer = request(
            installation,
            "POST",
            f"/events?key={installation.key}",
            json=[event(session_id="proxied")],
            headers={"X-Forwarded-For": "203.0.113.9"},
        )
        assert answer.status_code == 202
        assert [one["ip"] for one in events_of(read, "proxied")] == ["127.0.0.2"]


@pytest.mark.parametrize("path", ["/metrics", "/docs", "/demo", "/events/1", "/health/ready", "/"])
def test_only_what_browsers_need_is_public(installation: Installation, path: str) -> None:
    assert request(installation, "GET", path).status_code == 404


def test_the_settings_close_what_the_guide_says(installation: Installation) -> None:
    without_key = request(installation, "POST", "/events", json=[event()])
    foreign = request(
        installation,
        "POST",
        f"/events?key={installation.key}",
        json=[event()],
        headers={"Origin": "https://evil.example"},
    )
    other_name = installation.service.client.get("/tracker.js", headers={"Host": "evil.example"})
    codes = [answer.json()["code"] for answer in (without_key, foreign, other_name)]
    assert codes == ["write_key_missing", "origin_not_allowed", "host_not_allowed"]


def _open(browser: Browser, html: str) -> Page:
    context = browser.new_context(ignore_https_errors=True)
    context.route(f"{SITE}/", lambda route: route.fulfill(body=html, content_type="text/html; charset=utf-8"))
    page = context.new_page()
    page.goto(f"{SITE}/")
    return page


def test_a_tagged_page_on_the_site_sends_views_and_clicks(
    api: ApiStack, browser: Browser, installation: Installation
) -> None:
    tag, button = example("html", "defer"), example("html", "submit-button")
    with api.records() as read:
        page = _open(browser, installation.tagged(f"<!doctype html><body>{button}{tag}"))
        page.click("#submit-button")

        def found() -> list[dict[str, Any]]:
            events = [one for record in read() for one in record.events]
            return [one for one in events if one["url"] == f"{SITE}/"]

        wait_until(lambda: len(found()) >= 3, "two views and a click")
        page.context.close()
        kinds = sorted((one["type"], one["payload"]["event_title"]) for one in found())
    assert kinds == [("click", "checkout"), ("view", "checkout"), ("view", "page")]


def test_tracking_begins_with_consent_and_ends_with_its_withdrawal(
    api: ApiStack, browser: Browser, installation: Installation
) -> None:
    asked: list[str] = []
    page = _open(browser, installation.tagged("<!doctype html><body>" + example("html", "startTracking")))
    page.on("request", lambda sent: asked.append(sent.url) if NAME in sent.url else None)
    page.wait_for_timeout(1_000)
    assert (asked, page.evaluate("localStorage.length")) == ([], 0)
    with page.expect_response("**/events?*") as answered:
        page.evaluate("startTracking()")
    assert answered.value.status == 202
    assert page.evaluate("localStorage.length") > 0
    with page.expect_navigation():
        page.evaluate("stopTracking()")
    assert page.evaluate("localStorage.length") == 0
    page.context.close()


def test_a_uuid_becomes_a_user_id_that_the_contract_takes() -> None:
    names: dict[str, Any] = {}
    exec(example("python", "user_number"), names)
    number = names["user_number"]("7C9E6679-7425-40de-944b-e07fc1f90ae7", b"secret")
    assert number == names["user_number"]("7c9e6679-7425-40de-944b-e07fc1f90ae7", b"secret")
    assert number != names["user_number"]("7c9e6679-7425-40de-944b-e07fc1f90ae7", b"another")
    assert 0 <= number < 2**64


def test_every_setting_and_target_of_the_guide_exists() -> None:
    settings = set(re.findall(r"CLICKSTREAM_\w+__\w+", GUIDE))
    targets = set(re.findall(r"^(?:Exec\w+=/usr/bin/)?make ([a-z-]+)", GUIDE, re.MULTILINE))
    known = (PROJECT_ROOT / ".env.example").read_text()
    makefile = (PROJECT_ROOT / "Makefile").read_text()
    assert settings
    assert targets
    assert [name for name in settings if name not in known] == []
    assert [name for name in targets if f"\n{name}:" not in makefile] == []
