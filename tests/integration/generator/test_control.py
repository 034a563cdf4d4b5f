"""The control of the service, over HTTP and on the command line."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from typer.testing import CliRunner

from clickstream.errors import BadInputError
from clickstream.settings import Settings, get_settings
from generator.cli import app
from generator.live.app import MAX_BODY_BYTES
from generator.live.options import Source
from generator.live_cli import stop_all
from tests.integration.generator.topics import Bookmark, count_items
from tests.waiting import wait_until

JSON = {"content-type": "application/json"}


def test_it_is_alive_and_at_rest(control: httpx.Client) -> None:
    assert control.get("/health/live").status_code == 200
    status = control.get("/status").json()
    assert status["state"] == "stopped"
    assert set(status["sources"]) == set(Source)


def test_started_it_sends_and_stopped_it_does_not(control: httpx.Client, bookmark: Bookmark) -> None:
    before: int = control.get("/status").json()["sources"]["broker"]["received"]

    def received() -> int:
        now: int = control.get("/status").json()["sources"]["broker"]["received"]
        return now - before

    started = control.post("/start", json={"rate_per_second": 200, "seed": 7})
    assert started.json()["state"] == "running"
    assert started.json()["options"]["seed"] == 7
    wait_until(lambda: received() > 100)
    assert control.post("/rate", json={"rate_per_second": 50}).json()["options"]["rate_per_second"] == 50
    assert control.post("/stop", json={}).json()["state"] == "stopped"
    wait_until(lambda: control.get("/status").json()["sources"]["broker"]["unacknowledged"] == 0)

    assert count_items(bookmark.read()) == received()


def test_what_is_running_is_not_started_again(control: httpx.Client) -> None:
    assert control.post("/start", json={"rate_per_second": 1}).status_code == 200

    again = control.post("/start", json={"rate_per_second": 2})

    assert again.status_code == 409
    assert "running already" in again.json()["errors"][0]["message"]
    assert control.get("/status").json()["options"]["rate_per_second"] == 1


def test_generators_run_beside_each_other_each_with_its_own_counts(
    control: httpx.Client, bookmark: Bookmark
) -> None:
    before = control.get("/status").json()["sources"]
    control.post("/generators/left/start", json={"rate_per_second": 100, "seed": 1})
    control.post("/generators/right/start", json={"rate_per_second": 100, "seed": 2, "target": "http"})

    def counts(name: str, source: str) -> dict[str, int]:
        found = [one["status"] for one in control.get("/generators").json() if one["name"] == name]
        return dict(found[0]["sources"][source])

    wait_until(lambda: counts("left", "broker")["received"] > 50 and counts("right", "http")["received"] > 50)
    assert counts("left", "http")["received"] == counts("right", "broker")["received"] == 0
    for name, source in (("left", "broker"), ("right", "http")):
        assert control.post(f"/generators/{name}/stop", json={}).json()["state"] == "stopped"
        wait_until(lambda name=name, source=source: counts(name, source)["unacknowledged"] == 0)  # type: ignore[misc]

    after = control.get("/status").json()["sources"]
    for name, source in (("left", "broker"), ("right", "http")):
        sent = counts(name, source)["received"]
        assert after[source]["received"] - before[source]["received"] == sent
        assert control.request("DELETE", f"/generators/{name}", json={}).status_code == 200
    assert [one["name"] for one in control.get("/generators").json()] == ["default"]
    assert control.get("/status").json()["sources"] == after
    assert count_items(bookmark.read()) == sum(after[s]["received"] - before[s]["received"] for s in after)


@pytest.mark.parametrize(
    ("method", "path", "status", "said"),
    [
        pytest.param("POST", "/generators/No%20Name/start", 400, "lower-case letters", id="bad name"),
        pytest.param("POST", "/generators/nobody/stop", 404, "no generator 'nobody'", id="unknown"),
        pytest.param(
            "DELETE", "/generators/nobody", 404, "no generator 'nobody'", id="removing an unknown one"
        ),
        pytest.param("DELETE", "/generators/default", 409, "can't be removed", id="removing the default one"),
    ],
)
def test_bad_names_are_refused(control: httpx.Client, method: str, path: str, status: int, said: str) -> None:
    answer = control.request(method, path, json={})

    assert answer.status_code == status
    assert said in answer.text


def test_a_generator_that_runs_is_not_removed(control: httpx.Client) -> None:
    control.post("/generators/busy/start", json={"rate_per_second": 5})

    refused = control.request("DELETE", "/generators/busy", json={})
    stop_all(get_settings().generator)

    assert refused.status_code == 409
    assert "Stop it first" in refused.json()["hint"]


def test_the_rate_of_nothing_can_not_be_changed(control: httpx.Client) -> None:
    refused = control.post("/rate", json={"rate_per_second": 2})

    assert refused.status_code == 409
    assert "stopped" in refused.json()["errors"][0]["message"]


@pytest.mark.parametrize(
    ("path", "body", "headers", "status", "said"),
    [
        pytest.param("/start", b"{", JSON, 400, "must be JSON", id="no JSON"),
        pytest.param("/start", b"[]", JSON, 400, "must be a JSON object", id="no object"),
        pytest.param("/start", b'{"rate_per_second": 6000}', JSON, 400, "from 0.1 to 5000", id="too fast"),
        pytest.param("/start", b'{"target": "fax"}', JSON, 400, "one of broker, http, both", id="target"),
        pytest.param("/start", b'{"x": 1}', JSON, 400, "not known here", id="unknown option"),
        pytest.param("/rate", b'{"seed": 1}', JSON, 400, "known: rate_per_second", id="not the rate"),
        pytest.param("/start", b" " * (MAX_BODY_BYTES + 1), JSON, 413, "longer than", id="too long"),
        pytest.param("/start", b"{}", {"content-type": "text/plain"}, 415, "application/json", id="text"),
        pytest.param("/stop", b"", {}, 415, "application/json", id="stop of a foreign form"),
        pytest.param(
            "/start", b"{}", {**JSON, "host": "evil.example"}, 403, "ALLOWED_HOSTS", id="foreign host"
        ),
        pytest.param("/restart", b"{}", JSON, 404, "Not Found", id="unknown path"),
    ],
)
def test_bad_requests_are_refused_and_change_nothing(
    control: httpx.Client, path: str, body: bytes, headers: dict[str, str], status: int, said: str
) -> None:
    answer = control.post(path, content=body, headers=headers)

    assert answer.status_code == status
    assert said in answer.text
    assert control.get("/status").json()["state"] == "stopped"


def test_the_metrics_agree_with_the_status(control: httpx.Client) -> None:
    control.post("/start", json={"rate_per_second": 100})
    wait_until(lambda: control.get("/status").json()["sources"]["broker"]["received"] > 20)
    control.post("/stop", json={})
    wait_until(lambda: control.get("/status").json()["sources"]["broker"]["unacknowledged"] == 0)

    samples = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(control.get("/metrics").text)
        for sample in family.samples
    }
    counts = control.get("/status").json()["sources"]["broker"]
    for kind in ("valid", "duplicate", "faulty"):
        labels = sorted(("broker", kind))
        assert samples["clickstream_generator_events_acknowledged_total", *labels] == counts[kind]
    assert samples["clickstream_generator_running",] == 0
    assert ("clickstream_generator_process_resident_memory_bytes",) in samples


def test_the_command_line_steers_the_service(control: httpx.Client) -> None:
    def invoke(*arguments: str) -> str:
        return CliRunner().invoke(app, ["live", *arguments]).stdout

    started = json.loads(invoke("start", "--rate", "40", "--target", "both", "--json"))
    assert (started["state"], started["options"]["target"]) == ("running", "both")
    assert invoke("rate", "60").startswith("running: 60 events/s")
    assert invoke("status").startswith("running: 60 events/s (steady) to both")
    assert invoke("stop").startswith("stopped: ")


@pytest.mark.parametrize("target", ["broker", "http", "both"])
def test_a_run_in_the_foreground_sends_exactly_what_was_asked_for(
    settings: Settings, bookmark: Bookmark, tmp_path: Path, target: str
) -> None:
    key = tmp_path / "live.key.json"
    arguments = ["live", "run", "--events", "333", "--target", target, "--key", str(key), "--json"]

    result = json.loads(CliRunner().invoke(app, arguments).stdout)

    tallies = result["sources"].values()
    assert count_items(bookmark.read()) == 333
    assert sum(tally["valid"] + tally["duplicate"] + tally["faulty"] for tally in tallies) == 333
    assert sum(row[1] for row in json.loads(key.read_text())["ledger"]["rows"]) == 333


def test_a_run_at_a_rate_is_of_this_moment(settings: Settings, bookmark: Bookmark) -> None:
    arguments = ["live", "run", "--events", "60", "--rate", "60", "--faults", "0", "--duplicates", "0"]
    begin = datetime.now(UTC) - timedelta(seconds=1)
    assert CliRunner().invoke(app, arguments).exit_code == 0
    end = datetime.now(UTC) + timedelta(seconds=1)

    events = [event for record in bookmark.read() for event in json.loads(record.value or b"")]
    moments = [datetime.fromisoformat(event["created_at"]) for event in events]
    assert len(moments) == 60
    assert begin < min(moments) < max(moments) < end


def test_bad_arguments_are_refused(settings: Settings) -> None:
    refused = CliRunner().invoke(app, ["live", "run", "--events", "5", "--rate", "9000"])

    assert isinstance(refused.exception, BadInputError)
    assert "from 0.1 to 5000" in str(refused.exception)
