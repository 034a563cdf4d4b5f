"""Every event of the tables through every door: HTTP, the broker and a CSV file end up the same."""

import csv
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from clickhouse_connect.driver.client import Client

from clickstream.contract import CSV_COLUMNS, FIELDS, PAYLOAD_PREFIX
from clickstream.event.times import parse_timestamp
from clickstream.reasons import RECORD_CODES
from clickstream.storage.runs import last_runs
from monitoring.exporter.warehouse import Warehouse, look_at_events
from tests.cases.events import BROKEN, READ, STORED, VALID, WARNED
from tests.cases.mistakes import MISTAKES
from tests.integration.broker.stream import StreamStack
from tests.integration.etl.pipelines import load, run
from tests.unit.clickstream.judges import VALID_EVENT, broken

MARK: Final = "case"
"""A member without a meaning, or a column, by which an event is found again."""

UNKNOWN: Final = "unknown_field"
"""Code of the API's note about a field that the contract does not know."""

JUDGED_AT_A_MOMENT: Final = {"one_ms_late"}
"""Cases about the moment of the receipt, which the unit tests choose."""

Problems = frozenset[tuple[str, str]]
"""Codes, each with its field."""

NOTHING: Final[Problems] = frozenset()


@dataclass(frozen=True)
class Outcome:
    """What becomes of an event.

    Attributes:
        stored: Columns of `events`; None if the event is not there.
        errors: What it is quarantined for.
        warnings: What it is stored without.
    """

    stored: Mapping[str, Any] | None
    errors: Problems = NOTHING
    warnings: Problems = NOTHING


@dataclass(frozen=True)
class Case:
    """An event as JSON text, and what becomes of it; of the columns only those named here count."""

    body: str
    outcome: Outcome

    @property
    def is_readable(self) -> bool:
        """Whether the text is an event, valid or not."""
        return not {code for code, _ in self.outcome.errors} & set(map(str, RECORD_CODES))


def _changed(changes: Mapping[str, Any]) -> str:
    return broken(**{name.replace(".", "__"): value for name, value in changes.items()})


def _column(field: str, meant: Any) -> Mapping[str, Any]:
    value = parse_timestamp(meant) if field == "created_at" else meant
    return {field.removeprefix(PAYLOAD_PREFIX): value}


EXAMPLES: Final = [
    (f"documented_{field.name}_{place}", field.name, json.loads(sent), json.loads(meant))
    for field in FIELDS
    if field.spelling
    for place, (sent, meant) in enumerate(field.spelling.examples)
]
"""The spellings on the reference page."""

CASES: Final[Mapping[str, Case]] = {
    name: case
    for name, case in {
        **{
            name: Case(body, Outcome(None, frozenset({(code.value, field)})))
            for name, code, field, body in BROKEN
        },
        **{name: Case(body, Outcome({})) for name, body in VALID},
        **{
            name: Case(body, Outcome({}, warnings=frozenset({(code.value, field)})))
            for name, code, field, body in WARNED
        },
        **{
            name: Case(_changed({field: sent}), Outcome(_column(field, meant)))
            for name, field, sent, meant in [*READ, *EXAMPLES]
        },
        **{name: Case(_changed(changes), Outcome(columns)) for name, changes, columns in STORED},
    }.items()
    if name not in JUDGED_AT_A_MOMENT
}


def _event(name: str, door: str) -> dict[str, Any]:
    """The event with its mark; one whose id does not matter is not a duplicate of another."""
    event: dict[str, Any] = json.loads(CASES[name].body)
    event[MARK] = f"{door}/{name}"
    if event.get("id") == VALID_EVENT["id"]:
        event["id"] = 10_000 * (1 + ["http", "broker", "csv"].index(door)) + list(CASES).index(name)
    return event


def _sent(name: str, door: str) -> bytes:
    """What is sent of a case."""
    case = CASES[name]
    return json.dumps(_event(name, door)).encode() if case.is_readable else case.body.encode()


def _cells(event: Mapping[str, Any]) -> list[str] | None:
    """The event as a line of a CSV file; None if one of its values cannot be written as text."""
    cells = []
    for column in (*CSV_COLUMNS, MARK):
        value = event.get(column)
        if column == "payload" and not isinstance(value, str | None):
            value = json.dumps(value)
        if isinstance(value, bool | list | dict):
            return None
        cells.append("" if value is None else str(value))
    return cells


IN_CSV: Final = {
    name: cells
    for name, case in CASES.items()
    if case.is_readable
    and not any(code == "wrong_type" for code, _ in case.outcome.errors | case.outcome.warnings)
    and (cells := _cells(_event(name, "csv"))) is not None
}
"""Cases that cells can hold: a cell is a text, so it has no wrong type."""


@dataclass(frozen=True)
class Answers:
    """What the doors said and what is in the database afterwards.

    Attributes:
        http: The API's answer by case.
        outcomes: What became of each event, by door and case.
        messages: What the quarantine says of each refused event.
    """

    http: Mapping[str, httpx.Response]
    outcomes: Mapping[str, Outcome]
    messages: Mapping[str, list[str]]


@pytest.fixture(scope="module")
def answers(stream: StreamStack, tmp_path_factory: pytest.TempPathFactory) -> Answers:
    """Sends all cases through all doors and processes them once."""
    coordinates: dict[tuple[str, int], str] = {}
    producer = stream.producer()
    bodies = {name: _sent(name, "broker") for name in CASES} | {name: MISTAKES[name][0] for name in MISTAKES}
    for name, body in bodies.items():
        sent = producer.send(stream.broker.topic, body).get(timeout=60)
        coordinates[f"{sent.topic}/{sent.partition}", sent.offset] = f"broker/{name}"
    producer.close()

    url = f"http://127.0.0.1:{stream.stack.settings.api.port}"
    with httpx.Client(base_url=url, timeout=20, trust_env=False) as client:
        bodies = {name: _sent(name, "http") for name, case in CASES.items() if case.is_readable}
        bodies |= {name: MISTAKES[name][0] for name in MISTAKES}
        http = {name: client.post("/events", content=body) for name, body in bodies.items()}

    file = tmp_path_factory.mktemp("doors") / "events.csv"
    _write_csv(file, IN_CSV.values())
    load(file)
    stream.wait_for_idle()
    run()
    return Answers(http, *_outcomes(stream.clickhouse, coordinates))


def _write_csv(file: Path, lines: Iterable[list[str]]) -> None:
    with file.open("w", newline="") as text:
        writer = csv.writer(text, quoting=csv.QUOTE_ALL)
        writer.writerow([*CSV_COLUMNS, MARK])
        writer.writerows(lines)


_EVENTS: Final = """
select
    origin, offset, item, id, type, toUnixTimestamp64Milli(created_at) as created_at, session_id, ip, user_id,
    url, url_host, url_path, referrer, device_type, user_agent, is_bot, event_title, element_id, x, y,
    toString(payload) as payload, arrayZip(warnings, warning_fields) as warned
from events
"""


def _outcomes(
    client: Client, coordinates: dict[tuple[str, int], str]
) -> tuple[Mapping[str, Outcome], Mapping[str, list[str]]]:
    """What became of each marked event and of the records at some coordinates; messages of the quarantine."""
    marks = {
        (origin, offset, item): mark or coordinates.get((origin, offset), "")
        for origin, offset, item, mark in client.query(
            "select origin, offset, item, JSONExtractString(body, 'case') from raw_events"
        ).result_rows
    }
    events = client.query(_EVENTS, settings={"json_type_escape_dots_in_keys": 1})
    outcomes: dict[str, Outcome] = {}
    by_id = {}
    for row in events.named_results():
        stored = {**row, "payload": json.loads(row["payload"])}
        outcome = Outcome(stored, warnings=frozenset((code, field) for code, field in row["warned"]))
        outcomes[marks[row["origin"], row["offset"], row["item"]]] = by_id[row["id"]] = outcome
    duplicates = client.query("select origin, offset, item, id from duplicate_events").result_rows
    for *coordinate, event_id in duplicates:
        outcomes[marks[tuple(coordinate)]] = by_id[event_id]
    quarantined = client.query("select origin, offset, item, errors from quarantined_events").result_rows
    messages: dict[str, list[str]] = {}
    for *coordinate, errors in quarantined:
        mark = marks[tuple(coordinate)]
        outcomes[mark] = Outcome(None, frozenset((error["code"], error["field"]) for error in errors))
        messages[mark] = [error["message"] for error in errors]
    return outcomes, messages


def _assert_became(outcome: Outcome | None, expected: Outcome) -> None:
    assert outcome is not None, "the event is nowhere"
    assert outcome.errors == expected.errors
    assert outcome.warnings == expected.warnings
    if expected.stored is not None:
        assert outcome.stored is not None
        assert {name: outcome.stored[name] for name in expected.stored} == expected.stored


@pytest.mark.parametrize("name", CASES)
def test_an_event_over_the_broker(answers: Answers, name: str) -> None:
    _assert_became(answers.outcomes.get(f"broker/{name}"), CASES[name].outcome)


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.is_readable])
def test_an_event_over_http(answers: Answers, name: str) -> None:
    answer, expected = answers.http[name], CASES[name].outcome

    assert answer.status_code == (422 if expected.errors else 202)
    for told, wanted in (("errors", expected.errors), ("warnings", expected.warnings)):
        problems = answer.json().get(told, [])
        found = {(problem["code"], problem["field"]) for problem in problems}
        # Only the API names unknown fields; each case has one, by which it is recognised.
        assert found - {(UNKNOWN, MARK), (UNKNOWN, "extra")} == wanted
        assert all(problem["message"] for problem in problems)
    _assert_became(answers.outcomes.get(f"http/{name}"), expected)


def test_the_answer_names_fields_that_the_contract_does_not_know(answers: Answers) -> None:
    warnings = answers.http["unknown_fields"].json()["warnings"]
    assert [(one["code"], one["field"]) for one in warnings] == [(UNKNOWN, "extra"), (UNKNOWN, MARK)]


@pytest.mark.parametrize("name", IN_CSV)
def test_an_event_in_a_csv_file(answers: Answers, name: str) -> None:
    _assert_became(answers.outcomes.get(f"csv/{name}"), CASES[name].outcome)


@pytest.mark.parametrize("name", MISTAKES)
def test_what_is_not_an_event_is_named_with_its_remedy_over_http(answers: Answers, name: str) -> None:
    _, *words = MISTAKES[name]
    answer = answers.http[name]

    assert answer.status_code in (400, 422)
    message = answer.json()["message"] if answer.status_code == 400 else answer.json()["errors"][0]["message"]
    assert [word for word in words if word not in message] == []


@pytest.mark.parametrize("name", MISTAKES)
def test_what_is_not_an_event_is_named_with_its_remedy_in_the_quarantine(answers: Answers, name: str) -> None:
    _, *words = MISTAKES[name]

    (message,) = answers.messages[f"broker/{name}"]

    assert [word for word in words if word not in message] == []


def test_a_run_counts_its_warnings_and_so_does_the_exporter(answers: Answers, stream: StreamStack) -> None:
    [last] = last_runs(stream.clickhouse, 1, "process_events")
    warned = [outcome for outcome in answers.outcomes.values() if outcome.warnings]
    metrics = Warehouse(stream.stack.settings.clickhouse, look_at_events)()
    samples = next(
        metric.samples for metric in metrics if metric.name == "clickstream_warehouse_event_warnings"
    )
    by_code: Counter[str] = Counter()
    for sample in samples:
        by_code[sample.labels["code"]] += int(sample.value)

    assert last.warned == len(warned) > 0
    assert last.warned_by_code == by_code
    assert by_code == Counter(code for outcome in warned for code, _ in outcome.warnings)
