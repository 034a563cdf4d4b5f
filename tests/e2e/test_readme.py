"""The commands of the README do what it says, in the order in which they stand there."""

import json
import re
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Request

from clickstream.settings import PROJECT_ROOT, env_file
from stack.isolated import isolated_stack
from stack.lifecycle import Stack

README = (PROJECT_ROOT / "README.md").read_text()
BIN = PROJECT_ROOT / ".venv" / "bin"


def commands(section: str) -> list[str]:
    """The shell commands of a section that call `clickstream`."""
    text = README.split(f"\n## {section}\n")[1].split("\n## ")[0]
    blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line.startswith("clickstream ")]


class QuietHandler(SimpleHTTPRequestHandler):
    """Serves files and logs nothing."""

    def log_message(self, *_: object) -> None:
        """Nothing."""


class Site:
    """A site of somebody's own, on another origin than the API."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=folder))
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def origin(self, host: str) -> str:
        return f"http://{host}:{self._server.server_port}"

    def write(self, html: str) -> None:
        (self._folder / "index.html").write_text(html)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    running = Site(tmp_path_factory.mktemp("site"))
    yield running
    running.close()


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, site: Site) -> Iterator[Stack]:
    services = ("mage", "api", "stream_events")
    settings = {"CLICKSTREAM_API__CORS_ORIGINS": site.origin("127.0.0.1")}
    with isolated_stack(tmp_path_factory.mktemp("readme"), services, settings) as running:
        yield running


def example(language: str, stack: Stack) -> str:
    """The example of a language, with the addresses of the test's own stack."""
    settings = stack.settings
    text = re.findall(rf"```{language}\n(.*?)```", README.split("## Send your own data")[1], re.DOTALL)[0]
    text = text.replace("127.0.0.1:8000", f"127.0.0.1:{settings.api.port}")
    return str(text.replace("127.0.0.1:9092", settings.broker.bootstrap_servers))


def shell(command: str, folder: Path = PROJECT_ROOT) -> subprocess.CompletedProcess[str]:
    """Runs a command as a user would, with the environment active."""
    return subprocess.run(
        ["/bin/sh", "-c", f"PATH={BIN}:$PATH; {command}"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def test_the_tour_then_the_repair_of_what_was_refused(stack: Stack, tmp_path: Path) -> None:
    for command in commands("A tour"):
        done = shell(command)
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        assert done.stdout.strip()

    export, replay, process = commands("Send your own data")
    assert shell(export, tmp_path).returncode == 0
    bad = tmp_path / "bad.csv"
    fixed = bad.read_text(encoding="utf-8-sig").replace("purchase", "click")
    bad.write_text(fixed, encoding="utf-8")
    assert shell(replay, tmp_path).returncode == 0
    assert shell(process).returncode == 0
    ledger = json.loads(shell("clickstream ledger --json").stdout)
    assert {row["source"] for row in ledger} == {"csv", "replay"}
    assert all(row["unaccounted"] == 0 for row in ledger)
    assert all(row["pending"] == 0 for row in ledger)


def test_the_examples_over_http_and_kafka_arrive(stack: Stack, tmp_path: Path) -> None:
    sent = shell(example("sh", stack))
    assert json.loads(sent.stdout) == {"accepted": 1, "rejected": 0, "errors": []}
    producer = tmp_path / "producer.py"
    producer.write_text(example("python", stack))
    assert shell(f"python {producer}").returncode == 0

    found = processed("source, session_id", "session_id in ('s-77', 's-78') and source != 'csv'", rows=2)

    assert sorted((row["source"], row["session_id"]) for row in found) == [
        ("broker", "s-78"),
        ("http", "s-77"),
    ]


def test_a_click_on_the_page_of_the_readme_arrives_from_a_site_that_is_allowed(
    stack: Stack, site: Site, browser: Browser
) -> None:
    site.write(example("html", stack))
    with click(browser, site.origin("localhost")) as page:  # Another name is another site.
        page.wait_for_event("requestfailed", is_sending_events)
    with click(browser, site.origin("127.0.0.1")) as page:
        answer = page.wait_for_event("requestfinished", is_sending_events).response()
    assert answer is not None
    assert answer.status == 202
    columns = "type, event_title, element_id, toString(user_id) as user, url, x > 0 as has_place"
    found = processed(columns, "source = 'tracker' and type = 'click'", rows=1)

    assert found == [
        {
            "type": "click",
            "event_title": "checkout",
            "element_id": "#submit-button",
            "user": "42",
            "url": f"{site.origin('127.0.0.1')}/",
            "has_place": 1,
        }
    ]


@contextmanager
def click(browser: Browser, origin: str) -> Iterator[Page]:
    """A page on which somebody has clicked; its events are sent soon."""
    page = browser.new_page()
    page.goto(origin)
    page.click("#submit-button")
    yield page
    page.close()


def is_sending_events(request: Request) -> bool:
    return "/events" in request.url


def processed(columns: str, condition: str, rows: int) -> list[dict[str, Any]]:
    """Rows of `events`, once there are as many."""
    deadline = time.monotonic() + 60
    while True:
        shell("clickstream process")
        query = f"select {columns} from events where {condition}"
        found: list[dict[str, Any]] = json.loads(shell(f'clickstream sql "{query}" --json').stdout)
        if len(found) >= rows:
            return found
        assert time.monotonic() < deadline, f"not in time: {query}"


def test_an_event_is_followed_by_the_command_and_by_the_api(stack: Stack) -> None:
    [one] = processed("toString(any(id)) as id", "1", rows=1)
    [line] = re.findall(r"^curl .*/events/1842 .*$", README, re.MULTILINE)
    curl = line.replace("127.0.0.1:8000", f"127.0.0.1:{stack.settings.api.port}").replace(
        " .env", f" {env_file()}"
    )

    by_command = json.loads(shell(f"clickstream trace {one['id']} --json").stdout)
    by_api = json.loads(shell(curl.replace("1842", one["id"])).stdout)

    assert (by_api["id"], by_api["state"]) == (one["id"], "stored")
    assert [row["body"] for row in by_api["receipts"]] == [row["body"] for row in by_command["receipts"]]


def test_the_example_file_of_the_readme_loads(stack: Stack, tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text(re.findall(r"```csv\n(.*?)```", README, re.DOTALL)[0])

    result = json.loads(shell(f"clickstream load {path} --json").stdout)

    assert result["run"]["counts"]["stored"] == 1
    assert result["broken_by_code"] == {}
    assert processed("session_id", "source = 'csv' and session_id = 's-79'", rows=1) == [
        {"session_id": "s-79"}
    ]


def test_every_command_is_in_the_readme() -> None:
    listed = shell("clickstream --help").stdout
    names = re.findall(r"^│ ([a-z]+) ", listed, re.MULTILINE)

    assert names
    assert [name for name in names if not re.search(rf"clickstream [a-z ]*{name}|`{name}", README)] == []


def test_the_reader_may_not_write(stack: Stack) -> None:
    refused = shell("clickstream sql 'drop table events'")

    assert refused.returncode == 1
    assert "ClickHouse refused" in refused.stderr


def test_a_wrong_file_is_told_with_what_to_do(stack: Stack, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("a,b\n1,2\n")

    refused = shell(f"clickstream load {wrong}")

    assert refused.returncode == 2
    assert "is not a header of events or users: a,b" in refused.stderr
    assert "Line 1 must be a header" in refused.stderr


def test_without_a_stack_the_error_says_how_to_start_it(tmp_path: Path) -> None:
    env = tmp_path / "settings"
    secrets = ("CLICKHOUSE__WRITER", "CLICKHOUSE__READER", "MAGE__OWNER")
    lines = [f"CLICKSTREAM_{name}_PASSWORD=unused" for name in secrets]
    env.write_text(
        "\n".join([*lines, "CLICKSTREAM_MAGE__JWT_SECRET=unused", "CLICKSTREAM_CLICKHOUSE__PORT=1"])
    )

    failed = shell(f"CLICKSTREAM_ENV_FILE={env} clickstream status")

    assert failed.returncode == 1
    assert failed.stdout == ""
    assert "make up" in failed.stderr


def test_json_is_all_that_stands_on_standard_output(stack: Stack) -> None:
    verified = json.loads(shell("clickstream verify --json").stdout)
    assert verified["is_right"]
    assert verified["checks"][0]["name"]
    for command in ("status", "ledger", "quarantine list", "sql 'select 1 as one'"):
        json.loads(shell(f"clickstream {command} --json").stdout)
