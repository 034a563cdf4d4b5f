"""Great Expectations sees what is different, and its verdicts and counts are those of the rows."""

import json
from collections.abc import Sequence

import pytest
from great_expectations.exceptions import GreatExpectationsError

from clickstream.decode import SentEvent, read_record, read_values
from clickstream.reasons import ErrorCode
from clickstream.sightings import Sightings, sight, sight_fields
from clickstream.validation import ExpectationOutcome, judge_batch, judge_rows
from tests.unit.clickstream.judges import RECEIVED_AT_MS, broken, decoder_errors, expectation_codes


def sightings_of(bodies: Sequence[str]) -> dict[str, Sightings]:
    records = [read_record(body) for body in bodies]
    values = [read_values(record) for record in records if isinstance(record, SentEvent)]
    assert len(values) == len(bodies)
    return sight_fields(values, [RECEIVED_AT_MS] * len(values))


def outcome_of(bodies: Sequence[str], field: str, code: ErrorCode) -> ExpectationOutcome:
    outcomes = judge_rows(sightings_of(bodies), "events", future_allowed_ms=300_000).outcomes
    (outcome,) = [outcome for outcome in outcomes if (outcome.field, outcome.code) == (field, code)]
    return outcome


@pytest.mark.parametrize(
    ("bodies", "field", "code", "evaluated", "unexpected"),
    [
        ([broken(type="buy")] * 5 + [broken()] * 3, "type", ErrorCode.UNKNOWN_EVENT_TYPE, 8, 5),
        ([broken(ip="here"), broken(), broken(ip="here")], "ip", ErrorCode.INVALID_IP, 3, 2),
        ([broken(url="")] * 2 + [broken(url=...)], "url", ErrorCode.MISSING_FIELD, 3, 3),
        (
            [broken(session_id="a" * 513), broken(session_id="b" * 513)],
            "session_id",
            ErrorCode.TOO_LONG,
            2,
            2,
        ),
        (
            [broken(payload__x=...)] * 4 + [broken(type="view", payload__x=...)] * 3 + [broken()] * 2,
            "payload.x",
            ErrorCode.MISSING_FIELD,
            6,
            4,
        ),
        (
            [broken(payload="{")] * 4 + [broken(payload=...), broken()],
            "payload.event_title",
            ErrorCode.MISSING_FIELD,
            2,
            1,
        ),
    ],
    ids=["choice", "pattern", "required", "length", "required_of_clicks", "required_in_a_payload"],
)
def test_outcomes_count_rows_however_often_they_repeat(
    bodies: list[str], field: str, code: ErrorCode, evaluated: int, unexpected: int
) -> None:
    outcome = outcome_of(bodies, field, code)

    assert (outcome.evaluated, outcome.unexpected, outcome.success) == (evaluated, unexpected, False)


@pytest.mark.parametrize("field", ["id", "type", "user_id", "url", "payload__event_title", "payload__x"])
def test_values_that_equal_each_other_are_judged_by_their_own_type(field: str) -> None:
    sent = [1, True, 1.0, "1", "1.0", "true", 0, False, -0.0, None, "", [], [1], {}, "[]", "null"]
    bodies = [broken(**{field: value}) for value in sent]

    for order in (bodies, bodies[::-1], bodies * 2):
        assert expectation_codes(order) == [{error.code for error in decoder_errors(body)} for body in order]


def test_null_absent_and_empty_are_one_thing_seen() -> None:
    bodies = [broken(referrer=value) for value in (None, ..., "")]

    assert len(sightings_of(bodies)["referrer"].seen) == 1


def test_what_repeats_is_seen_once() -> None:
    bodies = [broken(id=number, url=f"/{number % 3}") for number in range(60)]

    sightings = sightings_of(bodies)

    assert len(sightings["url"].seen) == 3
    assert len(sightings["payload.x"].seen) == 1
    assert sightings["url"].column("url:length").tolist() == [2.0] * 60


def test_one_bad_row_among_many_equal_ones_is_found_where_it_is() -> None:
    bodies = [broken()] * 50
    bodies[17] = broken(type="buy", user_id="x", device_type="watch")
    bodies[20] = broken(device_type="watch")

    verdicts = judge_rows(sightings_of(bodies), "events", future_allowed_ms=300_000)

    assert verdicts.errors == {17: [ErrorCode.UNKNOWN_EVENT_TYPE, ErrorCode.INVALID_NUMBER]}
    assert verdicts.warnings == {
        17: [ErrorCode.UNKNOWN_DEVICE_TYPE],
        20: [ErrorCode.UNKNOWN_DEVICE_TYPE],
    }


def test_no_events_earn_no_code() -> None:
    errors, warnings, outcomes = judge_rows(sight_fields([], []), "events", future_allowed_ms=300_000)

    assert (errors, warnings) == ({}, {})
    assert {(outcome.evaluated, outcome.unexpected, outcome.success) for outcome in outcomes} == {
        (0, 0, True)
    }


def test_an_expectation_that_cannot_be_computed_stops_the_run() -> None:
    with pytest.raises(GreatExpectationsError, match="defect"):
        judge_rows({"": sight([""], "another column")}, "records", future_allowed_ms=300_000)


def test_a_batch_is_looked_at_row_by_row() -> None:
    bodies = [broken()] * 3 + [broken(user_agent=...)] * 4 + [broken(ip="here")]

    outcomes = judge_batch(sightings_of(bodies), [True] * 7 + [False])

    assert [(outcome.evaluated, outcome.unexpected, outcome.success) for outcome in outcomes] == [
        (8, 0, True),
        (8, 1, False),
        (8, 4, True),
        (8, 0, True),
        (0, 0, True),
    ]


def test_a_batch_in_which_most_user_agents_are_missing_is_noted() -> None:
    bodies = [json.dumps({**json.loads(broken()), "user_agent": None})] * 3 + [broken()]

    shares = [o for o in judge_batch(sightings_of(bodies), [True] * 4) if o.field == "share of user_agent"]

    assert [(share.success, share.unexpected) for share in shares] == [(False, 3)]
