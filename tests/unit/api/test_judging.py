"""What becomes of the events of a body."""

import asyncio
import contextlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.judging import Verdict, ids_by_index, judge
from api.refusals import Refusal, RefusalCode
from api.senders import EventSource, Senders
from clickstream.contract import MAX_RECORD_BYTES
from clickstream.decode import SentEvent, read_record, read_values
from clickstream.event.times import parse_timestamp
from clickstream.reasons import ErrorCode
from clickstream.settings import ApiSettings
from clickstream.steps import hash_content
from tests.unit.clickstream.judges import VALID_EVENT, broken, stored_events

SETTINGS = ApiSettings(max_events=1_000)
SENDER = Senders("", truncate_ip=False).sender(EventSource.HTTP, "198.51.100.7", "Browser/1.0")
CUTTING = Senders("", truncate_ip=True).sender(EventSource.HTTP, "198.51.100.7", "Browser/1.0")
ABSENT: dict[str, Any] = {"id": ..., "ip": ..., "user_agent": ...}


def verdict_on(text: str, *, cutting: bool = False) -> Verdict:
    return asyncio.run(judge(text, CUTTING if cutting else SENDER, SETTINGS, 300_000))


def refused(text: str) -> Refusal:
    with pytest.raises(Refusal) as caught:
        verdict_on(text)
    return caught.value


def enriched(text: str, *, cutting: bool = False) -> dict[str, Any]:
    (event,) = verdict_on(text, cutting=cutting).accepted
    decoded: dict[str, Any] = json.loads(event)
    assert len(json.loads(event, object_pairs_hook=list)) == len(decoded), "a key stands twice"
    return decoded


def test_a_complete_event_stays_as_it_was_sent() -> None:
    text = json.dumps(VALID_EVENT, indent=1)
    assert verdict_on(text).accepted == [text]


def test_an_event_gets_what_it_lacks_and_nothing_else() -> None:
    sent = broken(**ABSENT, received_at="whenever", extra=[1, 2])
    values = read_values(msgspec.json.decode(sent, type=SentEvent))
    assert enriched(sent) == {
        **json.loads(sent),
        "id": hash_content(values, parse_timestamp(values.created_at)),
        "ip": "198.51.100.7",
        "user_agent": "Browser/1.0",
    }


@pytest.mark.parametrize("absent", [None, ""])
def test_null_and_empty_values_are_filled_in_as_well(absent: object) -> None:
    event = enriched(broken(id=absent, ip=absent, user_agent=absent))
    assert event["id"] > 0
    assert (event["ip"], event["user_agent"]) == ("198.51.100.7", "Browser/1.0")


def test_the_added_id_is_the_one_that_the_etl_would_give() -> None:
    sent = broken(**ABSENT)
    with_id = verdict_on(sent).accepted[0]
    first, second = stored_events(with_id, sent)
    assert first["id"] == second["id"]


def test_a_word_like_a_key_in_the_payload_is_left_alone() -> None:
    sent = broken(**ABSENT, payload__ip="not an address", payload__id=None)
    assert enriched(sent)["payload"] == json.loads(sent)["payload"]


def test_numbers_keep_all_their_digits() -> None:
    sent = broken(**ABSENT, user_id=2**64 - 1)[:-1] + ', "ip": null, "more": 1.0000000000000000001}'
    (event,) = verdict_on(sent).accepted
    assert '"user_id":18446744073709551615' in event
    assert '"more":1.0000000000000000001' in event


def test_addresses_are_cut_short_if_asked_for() -> None:
    assert enriched(broken(ip=...), cutting=True)["ip"] == "198.51.100.0"
    assert enriched(broken(ip="2001:db8:1:2::3"), cutting=True)["ip"] == "2001:db8:1::"


def test_an_unusable_optional_value_is_told_and_the_event_accepted_as_sent() -> None:
    sent = broken(ip="unknown", device_type="watch")
    verdict = verdict_on(f"[{broken()}, {sent}]")

    assert verdict.accepted == [broken(), sent]
    assert (verdict.rejected, verdict.problems) == ([], [])
    assert [(told.index, told.code, told.field, told.value) for told in verdict.warnings] == [
        (1, ErrorCode.INVALID_IP, "ip", "unknown"),
        (1, ErrorCode.UNKNOWN_DEVICE_TYPE, "device_type", "watch"),
    ]


def test_an_events_own_sent_at_moves_it_as_the_etl_does() -> None:
    ahead = datetime.now(UTC) + timedelta(hours=1)
    event = broken(created_at=ahead.isoformat())
    with_clock = f'{event[:-1]}, "_sent_at": "{ahead.isoformat()}"}}'

    assert [problem.code for problem in verdict_on(event).problems] == [ErrorCode.CREATED_AT_IN_FUTURE]
    assert verdict_on(with_clock).accepted == [with_clock]


def test_a_rejected_event_is_told_its_errors_alone() -> None:
    verdict = verdict_on(broken(ip="unknown", type="hover"))

    assert [problem.field for problem in verdict.problems] == ["type"]
    assert verdict.warnings == []


def test_what_is_not_an_address_is_not_kept_where_addresses_are_cut_short() -> None:
    event = enriched(broken(ip="203.0.113.7 via proxy"), cutting=True)

    assert "203" not in event["ip"]
    assert [told.code for told in verdict_on(json.dumps(event)).warnings] == [ErrorCode.INVALID_IP]


def test_good_and_bad_events_part_ways_with_their_places() -> None:
    verdict = verdict_on(f"[{broken()}, 5, {broken(type='hover', user_id=...)}, {broken(id=8)}]")
    assert [json.loads(event)["id"] for event in verdict.accepted] == [7, 8]
    assert verdict.rejected == ["5", broken(type="hover", user_id=...)]
    assert [(problem.index, problem.code, problem.field) for problem in verdict.problems] == [
        (1, ErrorCode.NOT_AN_OBJECT, ""),
        (2, ErrorCode.UNKNOWN_EVENT_TYPE, "type"),
        (2, ErrorCode.MISSING_FIELD, "user_id"),
    ]


def test_an_event_that_becomes_too_large_by_what_is_added_is_rejected() -> None:
    filler = "x" * (MAX_RECORD_BYTES - len(broken(**ABSENT, filler="")))
    verdict = verdict_on(broken(**ABSENT, filler=filler))
    assert [problem.code for problem in verdict.problems] == [ErrorCode.TOO_LARGE]


@pytest.mark.parametrize("text", ["5", '"text"', "null", "true"])
def test_what_is_json_but_no_event_is_rejected_as_one(text: str) -> None:
    verdict = verdict_on(text)
    assert (verdict.accepted, verdict.rejected) == ([], [text])
    assert [problem.code for problem in verdict.problems] == [ErrorCode.NOT_AN_OBJECT]


def test_an_empty_array_is_nothing() -> None:
    assert verdict_on(" [ ] ") == Verdict()


def test_too_many_events_are_refused_with_the_limit() -> None:
    assert len(verdict_on("[" + "5," * 999 + "5]").rejected) == 1_000
    body = refused("[" + "5," * 1_000 + "5]").body
    assert (body.code, body.limit) == (RefusalCode.TOO_MANY_EVENTS, 1_000)


@pytest.mark.parametrize("levels", [65, 200, 1_000, 100_000])
def test_what_is_nested_too_deep_is_refused_with_the_limit(levels: int) -> None:
    for text in ("[" * levels + "]" * levels, '{"a":' * levels + "1" + "}" * levels):
        body = refused(text).body
        assert (body.code, body.limit) == (RefusalCode.TOO_DEEP, 64)


def test_brackets_inside_of_texts_are_no_depth() -> None:
    assert enriched(broken(payload__note='\\"[{' * 500))["payload"]["note"] == '\\"[{' * 500


def test_a_text_that_only_python_takes_for_json_is_refused_with_its_place() -> None:
    body = refused('[\n"\\ud800 alone"]').body
    assert (body.code, body.line) == (RefusalCode.INVALID_JSON, 2)


def test_a_batch_from_a_wrong_clock_is_judged_by_when_it_was_sent() -> None:
    late = broken(id=1, created_at="2222-01-01T10:00:00Z")
    text = f"[{late}, {broken(id=2, session_id=..., created_at='2222-01-01T10:00:00Z')}, {{}}]"
    judging = judge(text, SENDER, SETTINGS, 300_000, "2222-01-01T10:00:30Z")

    verdict = asyncio.run(judging)

    assert [json.loads(event)["_sent_at"] for event in verdict.accepted] == ["2222-01-01T10:00:30Z"]
    assert [json.loads(event).get("_sent_at") for event in verdict.rejected] == ["2222-01-01T10:00:30Z", None]
    assert {problem.code for problem in verdict.problems} == {ErrorCode.MISSING_FIELD}


UNREADABLE = {
    "nan": (broken(id=5).replace("445", "NaN"), ErrorCode.INVALID_JSON, "“NaN”"),
    "half_a_surrogate_pair": (
        broken(session_id="HALF").replace("HALF", "\\ud83d"),
        ErrorCode.INVALID_JSON,
        "surrogate",
    ),
    "no_comma": (broken().replace(", ", " ", 1), ErrorCode.INVALID_JSON, "expected a comma"),
    "beyond_floats": (
        broken(payload__note=0).replace('"note": 0', '"note": 1e999'),
        ErrorCode.INVALID_JSON,
        "out of range",
    ),
    "windows_1251": (
        broken(session_id="TEXT")
        .encode()
        .replace(b"TEXT", "корзина".encode("cp1251"))
        .decode(errors="surrogateescape"),
        ErrorCode.INVALID_ENCODING,
        "windows-1251",
    ),
}


@pytest.mark.parametrize(("event", "code", "part"), UNREADABLE.values(), ids=UNREADABLE)
def test_an_event_that_cannot_be_read_is_rejected_by_its_index(
    event: str, code: ErrorCode, part: str
) -> None:
    verdict = verdict_on(f"[{broken(id=1)},\n {event}, {broken(id=2)}]")

    assert verdict.ids == [1, 2]
    assert verdict.rejected == [event]
    assert [(problem.index, problem.code) for problem in verdict.problems] == [(1, code)]
    assert part in verdict.problems[0].message
    verdict.problems[0].value.encode()


REMEDIES = {
    "encoded_twice": (json.dumps(json.dumps([VALID_EVENT])), "encoded twice"),
    "envelope": (json.dumps({"batch": [VALID_EVENT]}), "the events are in 'batch'"),
    "envelope_of_one": (json.dumps({"sent": 1, "thing": VALID_EVENT}), "the events are in 'thing'"),
}


@pytest.mark.parametrize(("text", "part"), REMEDIES.values(), ids=REMEDIES)
def test_json_that_is_not_an_event_is_named_with_a_remedy(text: str, part: str) -> None:
    (problem,) = verdict_on(text).problems

    assert problem.code == ErrorCode.NOT_AN_OBJECT
    assert part in problem.message


def test_ndjson_is_refused_with_a_remedy() -> None:
    assert "NDJSON" in refused(f"{broken(id=1)}\n{broken(id=2)}\n").body.message


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=5),
    max_leaves=20,
)
_almost_events = st.fixed_dictionaries(
    {}, optional={name: st.just(value) | _json for name, value in VALID_EVENT.items()}
)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(_json | _almost_events | st.just(dict(VALID_EVENT)), max_size=6), st.booleans())
def test_each_event_is_accepted_or_rejected_with_a_code_and_never_both(
    events: list[Any], ascii_only: bool
) -> None:
    text = json.dumps(events, ensure_ascii=ascii_only)
    try:
        verdict = verdict_on(text)
    except Refusal as refusal:
        # Half of a surrogate pair, NaN and Infinity are not JSON.
        assert refusal.body.code in {RefusalCode.INVALID_JSON}  # noqa: PT017
        return
    told = {problem.index for problem in verdict.problems}
    assert len(verdict.accepted) + len(verdict.rejected) == len(events)
    assert len(told) == len(verdict.rejected)
    for event in verdict.accepted:
        assert verdict_on(event).accepted == [event], "an accepted event is accepted again, as it is"


@given(st.text())
def test_any_text_is_judged_or_refused(text: str) -> None:
    with contextlib.suppress(Refusal):
        verdict_on(text)


def _read(text: str) -> SentEvent:
    sent = read_record(text)
    assert isinstance(sent, SentEvent)
    return sent


def test_fields_that_the_contract_does_not_know_are_named_once() -> None:
    plain = broken(received_at="whenever")
    odd = broken(utm_source="ad", extra=[1, 2])
    verdict = verdict_on(f"[{plain}, {odd}, {odd}]")

    assert len(verdict.accepted) == 3
    assert verdict.warnings == []
    assert [(one.index, str(one.code), one.field, one.value) for one in verdict.notes] == [
        (1, "unknown_field", "utm_source", '"ad"'),
        (1, "unknown_field", "extra", "[1, 2]"),
    ]
    assert "payload" in verdict.notes[0].message


def test_an_answer_names_a_bounded_number_of_unknown_fields() -> None:
    names = {f"field_{number}": 1 for number in range(50)}
    assert len(verdict_on(broken(**names)).notes) == 20


def test_a_refused_event_has_no_notes() -> None:
    assert verdict_on(broken(type="hover", extra=1)).notes == []


def test_ids_stand_at_the_places_of_their_events() -> None:
    verdict = verdict_on(f"[{broken(id=7)}, {broken(type='hover', url=...)}, {broken(id=2**64 - 1)}]")
    assert ids_by_index(verdict) == ["7", None, str(2**64 - 1)]
