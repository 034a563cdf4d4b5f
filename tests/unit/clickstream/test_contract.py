"""Each broken event earns exactly its code, from the decoder and from Great Expectations alike."""

import json
import re
from ipaddress import ip_address
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clickstream.contract import FIELDS, IP_PATTERN, Field, Kind, Severity, uint_pattern
from clickstream.decode import SentEvent, read_record, read_values
from clickstream.event.rules import Receipt, find_problems
from clickstream.event.times import TIMESTAMP_PATTERN, parse_timestamp
from clickstream.reasons import ErrorCode
from tests.cases.events import BROKEN, READ, VALID, WARNED
from tests.unit.clickstream.judges import (
    broken,
    decoder_errors,
    decoder_warnings,
    expectation_codes,
    expectation_verdicts,
)

Verdict = tuple[set[ErrorCode], set[ErrorCode]]
"""Errors and warnings."""


SOURCE_CODES = {ErrorCode.MALFORMED_LINE, ErrorCode.INVALID_ENCODING, ErrorCode.UNKNOWN_COUNTRY}
"""Codes that only readers of sources give; see tests/unit/clickstream/test_csv.py."""


@pytest.fixture(scope="module")
def judged() -> dict[str, set[ErrorCode]]:
    """What Great Expectations says of every event of both tables."""
    bodies = {name: body for name, _, _, body in BROKEN} | dict(VALID)
    return dict(zip(bodies, expectation_codes(list(bodies.values())), strict=True))


@pytest.mark.parametrize(("name", "code", "field", "body"), BROKEN, ids=[row[0] for row in BROKEN])
def test_a_broken_event_earns_its_code_from_both_judges(
    name: str, code: ErrorCode, field: str, body: str, judged: dict[str, set[ErrorCode]]
) -> None:
    errors = decoder_errors(body)

    assert [(error.code, error.field) for error in errors] == [(code, field)]
    assert judged[name] == {code}


@pytest.mark.parametrize(("name", "body"), VALID, ids=[row[0] for row in VALID])
def test_a_valid_event_earns_no_code(name: str, body: str, judged: dict[str, set[ErrorCode]]) -> None:
    assert decoder_errors(body) == []
    assert judged[name] == set()


@pytest.mark.parametrize(("name", "code", "field", "body"), WARNED, ids=[row[0] for row in WARNED])
def test_an_unusable_optional_value_earns_a_warning_from_both_judges(
    name: str,
    code: ErrorCode,
    field: str,
    body: str,
    warned: dict[str, tuple[set[ErrorCode], set[ErrorCode]]],
) -> None:
    assert decoder_errors(body) == []
    assert [(warning.code, warning.field) for warning in decoder_warnings(body)] == [(code, field)]
    assert warned[name] == (set(), {code})


@pytest.fixture(scope="module")
def warned() -> dict[str, Verdict]:
    """What Great Expectations says of every event that is stored without a value."""
    bodies = [body for *_, body in WARNED]
    return dict(zip([row[0] for row in WARNED], expectation_verdicts(bodies), strict=True))


def test_every_optional_field_of_the_device_and_the_way_has_a_warning_and_no_other_has() -> None:
    dispensable = {field.name for field in FIELDS if field.severity is Severity.WARNING}

    assert dispensable == {"ip", "device_type", "referrer", "user_agent"}
    assert {(field, code) for _, code, field, _ in WARNED} == {
        (field.name, code) for field in FIELDS if field.name in dispensable for code in field.value_codes
    }


def test_every_code_has_a_broken_event() -> None:
    assert {code for _, code, _, _ in [*BROKEN, *WARNED]} == set(ErrorCode) - SOURCE_CODES


SPELLINGS = [
    (field, sent, meant) for field in FIELDS if field.spelling for sent, meant in field.spelling.examples
]


@pytest.mark.parametrize(
    ("field", "sent", "meant"), SPELLINGS, ids=[f"{field.name}-{sent}" for field, sent, _ in SPELLINGS]
)
def test_a_documented_spelling_is_read_as_the_reference_page_says(
    field: Field, sent: str, meant: str
) -> None:
    name = field.name.replace("payload.", "payload__")
    record = read_record(broken(**{name: json.loads(sent)}))
    assert isinstance(record, SentEvent)
    values = read_values(record)
    read = getattr(values, field.key)

    expected = json.loads(meant)
    if field.kind is Kind.TIMESTAMP:
        assert parse_timestamp(read) == parse_timestamp(expected)
    else:
        assert str(read) == str(expected)
    assert find_problems(values, Receipt(parse_timestamp("2025-03-02T00:00:00Z"), 300_000)) == []


@pytest.mark.parametrize(("name", "field", "sent", "meant"), READ, ids=[row[0] for row in READ])
def test_a_value_with_one_meaning_is_read_in_any_spelling(
    name: str, field: str, sent: Any, meant: Any
) -> None:
    body = broken(**{field.replace(".", "__"): sent})
    record = read_record(body)
    assert isinstance(record, SentEvent)
    read = getattr(read_values(record), field.rpartition(".")[2])

    if field == "created_at":
        read, meant = parse_timestamp(read), parse_timestamp(meant)
    assert (read, type(read)) == (meant, type(meant))
    assert expectation_verdicts([body]) == [(set(), set())]


@pytest.mark.parametrize(
    ("sent", "part"),
    [
        (1_740_823_200_000, "toISOString()"),
        ("1740823200000", "toISOString()"),
        ("01.03.2025 10:00", "in doubt; write the year first"),
        ("3/1/2025", "in doubt; write the year first"),
        ("26.11.2026 20:47", "the year must come first; write 2026-11-26T20:47:00Z if the time is UTC"),
        ("11/26/2026, 8:47:05", "the year must come first; write 2026-11-26T08:47:05Z if the time is UTC"),
        ("26-11-2026", "the year must come first; write 2026-11-26"),
        ("26.11.2026 08:47 PM", "the year must come first; write 2026-11-26"),
        ("3.3.2025 10:00", "the year must come first; write 2025-03-03T10:00:00Z if the time is UTC"),
        ("31.13.2025 10:00", "this day does not exist; the year must come first"),
        ("29.02.2025 10:00", "this day does not exist; the year must come first"),
        ("26.11.26 20:47", "the year must come first and have four digits"),
        ("2025-03-01", "time of day is missing"),
        ("2025/03/01 10:00:00", "hyphens"),
        ("2025-03-01T10:00:60Z", "leap seconds"),
        ("2025-03-01T24:00:00Z", "hour 24"),
        ("2025-03-01 10:00:00 PM", "AM or PM"),
        ("Sat, 01 Mar 2025 10:00:00 GMT", "month as a number"),
        ("2025-03-01T10:00:00,5Z", "not a comma"),
        ("2025-03-01T10:00:00 MSK", "UTC and GMT"),
        ("2025-02-30T10:00:00Z", "does not exist"),
    ],
)
def test_a_refused_time_says_what_is_wrong_with_it(sent: Any, part: str) -> None:
    (error,) = decoder_errors(broken(created_at=sent))

    assert part in error.message


def test_a_payload_of_null_is_absent_also_as_text() -> None:
    for payload in (None, "null", ""):
        errors = decoder_errors(broken(payload=payload))
        assert {(error.code, error.field) for error in errors} == {
            (ErrorCode.MISSING_FIELD, f"payload.{name}") for name in ("event_title", "element_id", "x", "y")
        }


def test_what_can_just_be_read_is_refused_and_breaks_nothing() -> None:
    bodies = [
        broken(**{field: "DEEP"}).replace('"DEEP"', "[" * levels + "]" * levels)
        for field in ("payload", "url")
        for levels in range(900, 1010, 5)
    ]

    by_decoder = [{error.code for error in decoder_errors(body)} for body in bodies]

    possible = {ErrorCode.INVALID_JSON, ErrorCode.INVALID_PAYLOAD, ErrorCode.WRONG_TYPE}
    assert all(len(codes) == 1 and codes <= possible for codes in by_decoder)
    assert expectation_codes(bodies) == by_decoder


def test_an_error_names_field_value_and_rule() -> None:
    (error,) = decoder_warnings(broken(device_type="watch"))

    assert error.field == "device_type"
    assert error.value == "watch"
    assert error.message == "device_type must be one of desktop, mobile, tablet."


def test_an_event_with_several_faults_earns_each_code() -> None:
    body = broken(type="purchase", user_id=-1, payload__x=[5], ip="nowhere")

    assert {error.code for error in decoder_errors(body)} == {
        ErrorCode.UNKNOWN_EVENT_TYPE,
        ErrorCode.INVALID_NUMBER,
        ErrorCode.WRONG_TYPE,
    }


def test_a_broken_payload_is_the_only_thing_said_of_its_fields() -> None:
    assert [error.code for error in decoder_errors(broken(payload="{"))] == [ErrorCode.INVALID_PAYLOAD]


json_scalars = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
)
json_values = st.recursive(
    json_scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
)
payloads = json_values | st.fixed_dictionaries(
    {},
    optional={
        "event_title": json_values,
        "element_id": json_values,
        "x": json_values | st.integers(0, 2**33),
        "y": json_values,
    },
)
timestamps = (
    st.from_regex(TIMESTAMP_PATTERN)
    | st.from_regex(r"\A[0-9]{4}-[01][0-9]-[0-3][0-9][T ][0-2][0-9]:[0-6][0-9]:[0-6][0-9](\.[0-9]+)?Z?\Z")
    | st.text()
)
events = st.fixed_dictionaries(
    {},
    optional={
        "id": json_values | st.from_regex(r"\A[0-9]{18,21}\Z"),
        "type": json_values | st.sampled_from(["view", "click"]),
        "created_at": json_values | timestamps,
        "session_id": json_values,
        "ip": json_values | st.ip_addresses().map(str),
        "user_id": json_values,
        "url": json_values,
        "referrer": json_values,
        "device_type": json_values | st.sampled_from(["desktop", "mobile", "tablet"]),
        "user_agent": json_values,
        "payload": payloads | payloads.map(json.dumps),
    },
)


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(events | json_values, min_size=1, max_size=80))
def test_both_judges_agree_on_any_record(records: list[Any]) -> None:
    bodies = [json.dumps(record) for record in records]

    by_decoder = [
        tuple({problem.code for problem in find(body)} for find in (decoder_errors, decoder_warnings))
        for body in bodies
    ]

    assert expectation_verdicts(bodies) == by_decoder


@given(st.text(alphabet="0123456789abcdefABCDEF:.", max_size=45) | st.ip_addresses().map(str))
def test_the_address_pattern_agrees_with_the_standard_library(text: str) -> None:
    try:
        ip_address(text)
    except ValueError:
        is_address = False
    else:
        is_address = True

    assert bool(re.search(IP_PATTERN, text)) == is_address


@pytest.mark.parametrize("bits", [32, 64])
@given(data=st.data())
def test_the_number_pattern_holds_exactly_the_numbers_in_range(bits: int, data: st.DataObject) -> None:
    number = data.draw(st.integers(0, 2 ** (bits + 4)) | st.integers(2**bits - 100, 2**bits + 100))

    assert bool(re.search(uint_pattern(bits), str(number))) == (number < 2**bits)


def test_field_names_are_unique() -> None:
    assert len({field.name for field in FIELDS}) == len(FIELDS)
