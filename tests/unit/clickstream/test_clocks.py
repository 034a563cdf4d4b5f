"""Clocks that are wrong: what is moved, by how much, and that every reader of an event agrees."""

import json

import pyarrow as pa
import pytest

from clickstream.etl.judging import judge
from clickstream.etl.parsing import parse_events
from clickstream.event.clocks import clock_skew_ms, settle_clock
from clickstream.event.times import parse_timestamp
from clickstream.reasons import ErrorCode
from clickstream.storage.raw import RAW_SCHEMA
from tests.unit.clickstream.judges import RECEIVED_AT_MS, broken

TEN_MINUTES_MS = 600_000


def sent(sent_at: object, **changes: object) -> str:
    return broken(**changes)[:-1] + f', "_sent_at": {json.dumps(sent_at)}}}'


def raw(*bodies: str) -> pa.Table:
    rows = [
        {
            "source": "tracker",
            "origin": "topic/0",
            "offset": offset,
            "item": 0,
            "received_at": RECEIVED_AT_MS,
            "body": body,
            "defect": "",
            "replay_of": "",
        }
        for offset, body in enumerate(bodies)
    ]
    return pa.Table.from_pylist(rows, schema=RAW_SCHEMA)


@pytest.mark.parametrize(
    ("sent_at", "skew_ms"),
    [
        ("2025-01-01T10:00:00Z", 0),
        ("2025-01-01T10:00:05Z", 0),
        ("2025-01-01T09:59:55Z", 0),
        ("2025-01-01T10:00:05.001Z", -5_001),
        ("2025-01-01T09:59:54.999Z", 5_001),
        ("2025-01-01T13:10:00+03:00", -TEN_MINUTES_MS),
        ("2023-01-01T10:00:00Z", 731 * 86_400_000),
        ("yesterday", 0),
        (1_735_725_000_000, 0),
        (None, 0),
    ],
)
def test_a_clock_is_wrong_from_five_seconds_on(sent_at: object, skew_ms: int) -> None:
    assert clock_skew_ms(sent_at, RECEIVED_AT_MS) == skew_ms


CASES = [
    ("right", "2025-01-01T10:00:02Z", "2025-01-01T09:59:58Z", "2025-01-01T09:59:58Z"),
    ("ten_minutes_fast", "2025-01-01T10:10:00Z", "2025-01-01T10:09:30Z", "2025-01-01T09:59:30Z"),
    ("two_years_slow", "2023-01-01T10:00:00Z", "2023-01-01T09:59:30Z", "2025-01-01T09:59:30Z"),
    ("two_years_fast", "2027-01-01T10:00:00Z", "2027-01-01T09:59:30Z", "2025-01-01T09:59:30Z"),
    ("reset_to_1970", "1970-01-01T00:00:30Z", "1970-01-01T00:00:00Z", "2025-01-01T09:59:30Z"),
]


@pytest.mark.parametrize(("name", "sent_at", "created_at", "stored"), CASES, ids=[row[0] for row in CASES])
def test_events_count_at_their_time_whatever_the_clock_says(
    name: str, sent_at: str, created_at: str, stored: str
) -> None:
    judgement = judge(raw(sent(sent_at, created_at=created_at), broken()), 300_000)

    assert judgement.quarantined.num_rows == 0
    moments = parse_events(judgement.valid)["created_at"].cast(pa.int64()).to_pylist()
    assert moments == [parse_timestamp(stored), RECEIVED_AT_MS]


def test_what_lies_in_the_future_of_its_own_batch_is_still_refused() -> None:
    judgement = judge(raw(sent("2025-01-01T10:10:00Z", created_at="2025-01-01T10:15:00.001Z")), 300_000)

    assert judgement.quarantined["reasons"].to_pylist() == [[ErrorCode.CREATED_AT_IN_FUTURE.value]]


def test_an_id_does_not_depend_on_when_the_batch_was_sent() -> None:
    bodies = [sent(at, id=..., created_at="2025-01-01T10:09:30Z") for at in ("2025-01-01T10:10:00Z", None)]
    judgement = judge(raw(*bodies), TEN_MINUTES_MS)

    assert len(set(parse_events(judgement.valid)["id"].to_pylist())) == 1


def test_a_settled_event_keeps_its_time_when_it_is_received_again() -> None:
    body = sent("2025-01-01T10:10:00Z", created_at="2025-01-01T10:09:30Z", type="hover")

    settled = json.loads(settle_clock(body, RECEIVED_AT_MS))

    assert settled == json.loads(broken(type="hover", created_at="2025-01-01T09:59:30.000Z"))
    assert settle_clock(broken(), RECEIVED_AT_MS) == broken()
    assert settle_clock('{"_sent_at": ', RECEIVED_AT_MS) == '{"_sent_at": '


@pytest.mark.parametrize(
    ("created_at", "sent_at"),
    [
        ("9999-12-31T00:00:00Z", "0001-01-01T00:00:00Z"),
        ("0001-01-01T00:00:00Z", "9999-12-31T00:00:00Z"),
    ],
    ids=["after_the_last_year", "before_the_first_year"],
)
def test_a_time_that_cannot_be_moved_stays_refused_and_breaks_nothing(created_at: str, sent_at: str) -> None:
    body = sent(sent_at, created_at=created_at)
    settled = settle_clock(body, RECEIVED_AT_MS)

    judgement = judge(raw(body, settled, broken()), future_allowed_ms=300_000)

    assert json.loads(settled) == json.loads(broken(created_at=created_at))
    assert judgement.quarantined["offset"].to_pylist() == [0, 1]
    assert judgement.valid["offset"].to_pylist() == [2]
