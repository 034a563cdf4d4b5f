"""Each broken event earns exactly its code, from the decoder and from Great Expectations alike."""

import json
import re
from ipaddress import ip_address
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clickstream.contract import FIELDS, IP_PATTERN, TIMESTAMP_PATTERN, uint_pattern
from clickstream.reasons import ErrorCode
from tests.unit.clickstream.judges import VALID_EVENT, broken, decoder_errors, expectation_codes


def nested(levels: int) -> dict[str, Any]:
    inner: Any = 1
    for _ in range(levels):
        inner = {"a": inner}
    return {**VALID_EVENT["payload"], "deep": inner}


BROKEN: list[tuple[str, ErrorCode, str, str]] = [
    ("no_json", ErrorCode.INVALID_JSON, "", '{"type": "click",}'),
    ("empty_record", ErrorCode.INVALID_JSON, "", ""),
    ("lone_surrogate", ErrorCode.INVALID_JSON, "", '{"session_id": "\\ud800"}'),
    ("number_beyond_floats", ErrorCode.INVALID_JSON, "", '{"id": 1e999}'),
    ("nested_beyond_reading", ErrorCode.INVALID_JSON, "", '{"a":' + "[" * 5000 + "]" * 5000 + "}"),
    ("array", ErrorCode.NOT_AN_OBJECT, "", "[1]"),
    ("text", ErrorCode.NOT_AN_OBJECT, "", '"click"'),
    ("null", ErrorCode.NOT_AN_OBJECT, "", "null"),
    ("huge_record", ErrorCode.TOO_LARGE, "", broken(extra="x" * (1 << 20))),
    *[
        (f"{how}_{name}", ErrorCode.MISSING_FIELD, name.replace("__", "."), broken(**{name: value}))
        for name in ("type", "created_at", "session_id", "user_id", "url")
        for how, value in (("absent", ...), ("null", None), ("empty", ""))
    ],
    *[
        (f"{how}_{name}", ErrorCode.MISSING_FIELD, name.replace("__", "."), broken(**{name: value}))
        for name in ("payload__event_title", "payload__element_id", "payload__x", "payload__y")
        for how, value in (("absent", ...), ("null", None), ("empty", ""))
    ],
    ("type_number", ErrorCode.WRONG_TYPE, "type", broken(type=1)),
    ("session_id_number", ErrorCode.WRONG_TYPE, "session_id", broken(session_id=5)),
    ("url_array", ErrorCode.WRONG_TYPE, "url", broken(url=["/"])),
    ("created_at_number", ErrorCode.WRONG_TYPE, "created_at", broken(created_at=1_735_725_600)),
    ("user_id_boolean", ErrorCode.WRONG_TYPE, "user_id", broken(user_id=True)),
    ("id_object", ErrorCode.WRONG_TYPE, "id", broken(id={})),
    ("x_text", ErrorCode.WRONG_TYPE, "payload.x", broken(payload__x="445")),
    ("event_title_number", ErrorCode.WRONG_TYPE, "payload.event_title", broken(payload__event_title=3)),
    ("type_purchase", ErrorCode.UNKNOWN_EVENT_TYPE, "type", broken(type="purchase")),
    ("type_capitals", ErrorCode.UNKNOWN_EVENT_TYPE, "type", broken(type="Click")),
    ("device_watch", ErrorCode.UNKNOWN_DEVICE_TYPE, "device_type", broken(device_type="watch")),
    ("date_only", ErrorCode.INVALID_TIMESTAMP, "created_at", broken(created_at="2025-01-01")),
    ("no_such_day", ErrorCode.INVALID_TIMESTAMP, "created_at", broken(created_at="2025-02-29T10:00:00Z")),
    ("no_such_hour", ErrorCode.INVALID_TIMESTAMP, "created_at", broken(created_at="2025-01-01T24:00:00Z")),
    ("leap_second", ErrorCode.INVALID_TIMESTAMP, "created_at", broken(created_at="2016-12-31T23:59:60Z")),
    (
        "before_1970",
        ErrorCode.INVALID_TIMESTAMP,
        "created_at",
        broken(created_at="1970-01-01T00:00:00+01:00"),
    ),
    ("basic_format", ErrorCode.INVALID_TIMESTAMP, "created_at", broken(created_at="20250101T100000Z")),
    (
        "line_break_after",
        ErrorCode.INVALID_TIMESTAMP,
        "created_at",
        broken(created_at="2025-01-01T10:00:00Z\n"),
    ),
    (
        "one_ms_late",
        ErrorCode.CREATED_AT_IN_FUTURE,
        "created_at",
        broken(created_at="2025-01-01T10:05:00.001Z"),
    ),
    (
        "far_future",
        ErrorCode.CREATED_AT_IN_FUTURE,
        "created_at",
        broken(created_at="9999-12-31T23:59:59-12:00"),
    ),
    ("user_id_negative", ErrorCode.INVALID_NUMBER, "user_id", broken(user_id=-1)),
    ("user_id_fraction", ErrorCode.INVALID_NUMBER, "user_id", broken(user_id=1.5)),
    ("user_id_word", ErrorCode.INVALID_NUMBER, "user_id", broken(user_id="abc")),
    ("user_id_float_text", ErrorCode.INVALID_NUMBER, "user_id", broken(user_id="42.0")),
    ("user_id_arabic_digits", ErrorCode.INVALID_NUMBER, "user_id", broken(user_id="٤٢")),
    ("user_id_line_break", ErrorCode.INVALID_NUMBER, "user_id", broken(user_id="42\n")),
    ("id_too_large", ErrorCode.INVALID_NUMBER, "id", broken(id=2**64)),
    ("id_text_too_large", ErrorCode.INVALID_NUMBER, "id", broken(id=str(2**64))),
    ("id_of_5000_digits", ErrorCode.INVALID_NUMBER, "id", broken(id="9" * 5000)),
    ("x_negative", ErrorCode.INVALID_NUMBER, "payload.x", broken(payload__x=-1)),
    ("x_too_large", ErrorCode.INVALID_NUMBER, "payload.x", broken(payload__x=2**32)),
    ("x_fraction_in_view", ErrorCode.INVALID_NUMBER, "payload.x", broken(type="view", payload__x=0.5)),
    ("ip_word", ErrorCode.INVALID_IP, "ip", broken(ip="localhost")),
    ("ip_beyond_255", ErrorCode.INVALID_IP, "ip", broken(ip="256.1.1.1")),
    ("ip_two_gaps", ErrorCode.INVALID_IP, "ip", broken(ip="1::2::3")),
    ("payload_text", ErrorCode.INVALID_PAYLOAD, "payload", broken(payload="not json")),
    ("payload_array", ErrorCode.INVALID_PAYLOAD, "payload", broken(payload=[1])),
    ("payload_array_text", ErrorCode.INVALID_PAYLOAD, "payload", broken(payload="[1]")),
    ("payload_number", ErrorCode.INVALID_PAYLOAD, "payload", broken(payload=5)),
    ("payload_deep", ErrorCode.INVALID_PAYLOAD, "payload", broken(payload=nested(16))),
    ("payload_long", ErrorCode.INVALID_PAYLOAD, "payload", broken(payload__note="x" * (64 << 10))),
    ("session_id_long", ErrorCode.TOO_LONG, "session_id", broken(session_id="x" * 513)),
    ("event_title_long", ErrorCode.TOO_LONG, "payload.event_title", broken(payload__event_title="x" * 513)),
    ("user_agent_long", ErrorCode.TOO_LONG, "user_agent", broken(user_agent="x" * 2049)),
]

VALID: list[tuple[str, str]] = [
    ("whole", broken()),
    ("ids_as_text", broken(id=str(2**64 - 1), user_id="007")),
    ("only_required", broken(id=..., ip=..., referrer=..., device_type=..., user_agent=...)),
    ("empty_optional", broken(id="", ip="", referrer="", device_type="", user_agent="")),
    ("null_optional", broken(id=None, ip=None)),
    ("view_without_position", broken(type="view", payload__x=..., payload__y=...)),
    ("payload_as_text", broken(payload=json.dumps(VALID_EVENT["payload"]))),
    ("payload_16_levels", broken(payload=nested(15))),
    ("zero_everywhere", broken(id=0, user_id=0, payload__x=0, payload__y=0)),
    ("five_minutes_ahead", broken(created_at="2025-01-01T10:05:00.000999Z")),
    ("space_and_no_offset", broken(created_at="2025-01-01 10:00:00.5")),
    ("many_fraction_digits", broken(created_at="2025-01-01T10:00:00.123456789012Z")),
    ("offset", broken(created_at="2025-01-01T12:59:59+03:00")),
    ("leap_day", broken(created_at="2000-02-29t10:00:00z")),
    ("epoch", broken(created_at="1970-01-01T00:00:00Z")),
    ("ipv6", broken(ip="2001:db8::1")),
    ("unknown_fields", broken(received_at="nonsense", extra=[1, {"a": None}])),
    ("longest_session_id", broken(session_id="ü" * 512)),
]

SOURCE_CODES = {ErrorCode.MALFORMED_LINE, ErrorCode.INVALID_ENCODING}
"""Codes that only the CSV reader gives; see tests/unit/clickstream/test_csv.py."""


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


def test_every_code_has_a_broken_event() -> None:
    assert {code for _, code, _, _ in BROKEN} == set(ErrorCode) - SOURCE_CODES


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
    (error,) = decoder_errors(broken(device_type="watch"))

    assert error.field == "device_type"
    assert error.value == "watch"
    assert error.message == "device_type must be one of desktop, mobile, tablet."


def test_an_event_with_several_faults_earns_each_code() -> None:
    body = broken(type="purchase", user_id=-1, payload__x="5")

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

    by_decoder = [{error.code for error in decoder_errors(body)} for body in bodies]

    assert expectation_codes(bodies) == by_decoder


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
