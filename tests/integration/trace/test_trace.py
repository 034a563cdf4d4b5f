"""Following events through the real pipeline."""

import json
from datetime import date

import pytest
from clickhouse_connect.driver.client import Client
from typer.testing import CliRunner

from clickstream.cli.app import app
from clickstream.errors import BadInputError
from clickstream.reasons import ErrorCode
from clickstream.storage.marts import MARTS
from clickstream.trace import (
    MAX_RECEIPTS,
    Fate,
    Record,
    Trace,
    TraceState,
    parse_id,
    parse_record,
    trace_event,
    trace_record,
    trace_session,
    trace_user,
)
from tests.integration.trace import story
from tests.integration.trace.story import RECEIVED, TOPIC


def fates(trace: Trace) -> list[tuple[str, Fate]]:
    return [(receipt.name, receipt.fate) for receipt in trace.receipts]


def test_a_stored_event_shows_its_way(client: Client) -> None:
    trace = trace_event(client, story.VIEW)

    assert (trace.id, trace.state) == (story.VIEW, TraceState.STORED)
    (receipt,) = trace.receipts
    assert (receipt.source, receipt.coordinate) == ("broker", (TOPIC, story.VIEW_OFFSET, 0))
    assert (receipt.fate, receipt.event_id) == (Fate.STORED, story.VIEW)
    assert receipt.body == story.event(story.VIEW)
    assert receipt.received_at == RECEIVED
    assert receipt.decided_at is not None
    assert receipt.loaded_at is not None
    assert receipt.loaded_at <= receipt.decided_at


@pytest.mark.parametrize(
    ("event_id", "untouched"),
    [
        pytest.param(story.VIEW, {"click_position_days"}, id="view"),
        pytest.param(story.CLICK, set(), id="click"),
    ],
)
def test_the_days_are_those_of_the_event_and_say_when_they_were_built(
    client: Client, event_id: int, untouched: set[str]
) -> None:
    (day,) = trace_event(client, event_id).days

    assert day.date == date(2026, 2, 28)
    assert set(MARTS) - set(day.marts) == untouched
    assert day.rebuilt_at is not None
    assert day.run_id


def test_an_id_that_was_sent_as_text_is_found(client: Client) -> None:
    assert trace_event(client, story.SENT_AS_TEXT).state is TraceState.STORED


def test_a_duplicate_shows_beside_its_original(client: Client) -> None:
    trace = trace_event(client, story.TWICE)

    first, second = story.TWICE_OFFSETS
    assert fates(trace) == [(f"{TOPIC}:{first}:0", Fate.STORED), (f"{TOPIC}:{second}:0", Fate.DUPLICATE)]
    assert [receipt.source for receipt in trace.receipts] == ["broker", "http"]


def test_an_invalid_event_says_what_is_wrong(client: Client) -> None:
    trace = trace_event(client, story.INVALID)

    assert (trace.state, trace.days) == (TraceState.QUARANTINED, ())
    (receipt,) = trace.receipts
    assert {(error.code, error.field) for error in receipt.errors} == {
        (ErrorCode.UNKNOWN_EVENT_TYPE, "type"),
        (ErrorCode.MISSING_FIELD, "url"),
    }


def test_a_text_that_is_no_json_is_found_by_a_whole_long_id(client: Client) -> None:
    assert trace_event(client, story.CUT_OFF).state is TraceState.QUARANTINED
    assert trace_event(client, story.CUT_OFF // 10).state is TraceState.UNKNOWN


def test_what_is_not_processed_yet_is_pending(client: Client) -> None:
    trace = trace_event(client, story.WAITING)

    waiting = f"{TOPIC}:{story.WAITING_OFFSET}:0"
    assert (trace.state, fates(trace)) == (TraceState.PENDING, [(waiting, Fate.PENDING)])


@pytest.mark.parametrize(
    ("event_id", "offset"),
    [
        pytest.param(story.FIXED, story.FIXED_OFFSET, id="fixed"),
        pytest.param(story.ANOTHER_ID, story.FIXED_TO_ANOTHER_OFFSET, id="back from the id it was fixed to"),
        pytest.param(story.FIXED_TO_ANOTHER_ID, story.FIXED_TO_ANOTHER_OFFSET, id="on to the id it got"),
    ],
)
def test_a_replay_and_the_event_that_it_repeats_lead_to_each_other(
    client: Client, event_id: int, offset: int
) -> None:
    trace = trace_event(client, event_id)

    broken, replay = trace.receipts if trace.receipts[0].source != "replay" else trace.receipts[::-1]
    assert trace.state is TraceState.STORED
    assert (broken.name, broken.fate) == (f"{TOPIC}:{offset}:0", Fate.QUARANTINED)
    assert (replay.source, replay.fate, replay.replay_of) == ("replay", Fate.STORED, broken.name)


def test_an_id_elsewhere_than_in_the_id_field_is_no_trace(client: Client) -> None:
    assert trace_event(client, story.A_USER) == Trace(story.A_USER, TraceState.UNKNOWN, (), (), 0)


def test_an_event_that_is_sent_without_end_is_shown_in_part(client: Client) -> None:
    trace = trace_event(client, story.WITHOUT_END)

    assert trace.state is TraceState.STORED
    assert len(trace.receipts) == MAX_RECEIPTS
    assert [receipt.fate for receipt in trace.receipts].count(Fate.STORED) == len(trace.days) == 1
    assert trace.receipts_left_out == story.TIMES - MAX_RECEIPTS


@pytest.mark.parametrize("text", ["", "x", "-1", "1.5", "18446744073709551616", "٣", "9" * 5_000])
def test_what_is_no_id_is_refused(text: str) -> None:
    with pytest.raises(BadInputError, match="is not an event id"):
        parse_id(text)


def test_zeros_before_an_id_mean_nothing() -> None:
    assert parse_id(" " + "0" * 5_000 + "42") == 42


def test_the_command_tells_it_in_words_and_as_json(client: Client) -> None:
    told = CliRunner().invoke(app, ["trace", str(story.VIEW)])
    as_json = CliRunner().invoke(app, ["trace", str(story.VIEW), "--json"])

    assert told.exit_code == as_json.exit_code == 0
    assert f"Event {story.VIEW} is stored" in told.stdout
    assert f"{TOPIC}:{story.VIEW_OFFSET}:0" in told.stdout
    assert "Counts on 2026-02-28" in told.stdout
    assert json.loads(as_json.stdout)["receipts"][0]["fate"] == "stored"


def test_the_command_says_that_nothing_is_known(client: Client) -> None:
    told = CliRunner().invoke(app, ["trace", "42"])

    assert told.exit_code == 1
    assert "Nothing is known of event 42" in told.stdout


def test_a_record_is_followed_by_the_name_that_a_trace_prints(client: Client) -> None:
    (receipt,) = trace_event(client, story.VIEW).receipts
    record = parse_record(receipt.name)
    assert record is not None
    assert trace_record(client, record).receipts == (receipt,)


@pytest.mark.parametrize(
    ("text", "record"),
    [
        pytest.param("clickstream.events/0:12", Record("clickstream.events/0", 12), id="record"),
        pytest.param("clickstream.events/0:12:3", Record("clickstream.events/0", 12, 3), id="item"),
        pytest.param("csv/0a1b:7:0", Record("csv/0a1b", 7, 0), id="line"),
        pytest.param("replay:5:0", Record("replay", 5, 0), id="replay"),
        pytest.param("1842", None, id="an id"),
        pytest.param("a:b", None, id="a session"),
        pytest.param("topic/0:99999999999999999999", None, id="an offset that is too large"),
    ],
)
def test_a_record_is_told_from_other_texts(text: str, record: Record | None) -> None:
    assert parse_record(text) == record


def test_a_session_is_followed_with_what_is_invalid_and_what_is_repeated(client: Client) -> None:
    trace = trace_session(client, "s1")
    assert trace.id is None
    assert {receipt.fate for receipt in trace.receipts} == {Fate.STORED, Fate.DUPLICATE, Fate.QUARANTINED}
    assert len(trace.receipts) + trace.receipts_left_out > story.TIMES


def test_a_session_that_waits_is_found(client: Client) -> None:
    trace = trace_session(client, story.QUIET_SESSION)
    assert (trace.state, fates(trace)) == (
        TraceState.PENDING,
        [(f"{TOPIC}:{story.WAITING_OFFSET + 1}:0", Fate.PENDING)],
    )


def test_a_user_is_followed(client: Client) -> None:
    (receipt,) = trace_user(client, story.A_USER).receipts
    assert receipt.fate is Fate.QUARANTINED


def test_an_erased_event_says_when_it_was_erased(client: Client) -> None:
    coordinate = (TOPIC, 77, 0)
    client.insert(
        "erased_events",
        [["broker", *coordinate, RECEIVED.date(), "stored", "run"]],
        column_names=["source", "origin", "offset", "item", "received_date", "fate", "run_id"],
    )
    trace = trace_record(client, Record(TOPIC, 77))
    assert trace.state is TraceState.ERASED
    assert [receipt.coordinate for receipt in trace.receipts] == [coordinate]
    assert trace.receipts[0].decided_at is not None


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param([f"{TOPIC}:{story.VIEW_OFFSET}:0"], id="record"),
        pytest.param(["--session", "s1"], id="session"),
        pytest.param(["s1"], id="session-by-itself"),
        pytest.param(["--user", str(story.A_USER)], id="user"),
    ],
)
def test_the_command_follows_records_sessions_and_users(client: Client, arguments: list[str]) -> None:
    answer = CliRunner().invoke(app, ["trace", *arguments])
    assert answer.exit_code == 0, answer.output
    assert TOPIC in answer.output
