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
from tests.unit.clickstream.judges import (
    VALID_EVENT,
    broken,
    decoder_errors,
    decoder_warnings,
    expectation_codes,
    expectation_verdicts,
)

Verdict = tuple[set[ErrorCode], set[ErrorCode]]
"""Errors and warnings."""


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
    ("x_boolean", ErrorCode.WRONG_TYPE, "payload.x", broken(payload__x=True)),
    ("x_array", ErrorCode.WRONG_TYPE, "payload.x", broken(payload__x=[445])),
    ("event_title_number", ErrorCode.WRONG_TYPE, "payload.event_title", broken(payload__event_title=3)),
    ("type_purchase", ErrorCode.UNKNOWN_EVENT_TYPE, "type", broken(type="purchase")),
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
    ("user_id_arabic_digits", ErrorCode.INVALID_NUMBER, "user_id", broken(user_id="٤٢")),
    ("user_id_line_break", ErrorCode.INVALID_NUMBER, "user_id", broken(user_id="42\n")),
    *[
        (f"user_id_{name}", ErrorCode.INVALID_NUMBER, "user_id", broken(user_id=value))
        for name, value in (
            ("float_past_2_53", 1.8e18),
            ("float_text_past_2_53", "9007199254740992.0"),
            ("exponent_text", "1.8e18"),
            ("fraction_text", "42.5"),
            ("negative_float_text", "-42.0"),
            ("plus_sign", "+42"),
            ("spaces", " 42"),
        )
    ],
    *[
        (f"x_{name}", ErrorCode.INVALID_NUMBER, "payload.x", broken(payload__x=value))
        for name, value in (
            ("rounded_past_32_bits", 4294967295.5),
            ("huge_float", 1e300),
            ("word", "left"),
            ("exponent_text", "1e3"),
            ("two_points", "1.2.3"),
            ("nan_text", "NaN"),
        )
    ],
    *[
        (f"time_{name}", ErrorCode.INVALID_TIMESTAMP, "created_at", broken(created_at=value))
        for name, value in (
            ("epoch_text", "1740823200000"),
            ("day_first", "01.03.2025 10:00:00"),
            ("slashes", "2025/03/01 10:00:00"),
            ("hour_alone", "2025-01-01T10"),
            ("offset_of_one_digit", "2025-01-01T10:00:00+3"),
            ("zone_name", "2025-01-01T10:00:00 MSK"),
            ("fraction_without_seconds", "2025-01-01T10:00.5Z"),
            ("two_spaces", "2025-01-01  10:00:00Z"),
            ("offset_after_zone", "2025-01-01T10:00:00Z+03"),
        )
    ],
    ("id_too_large", ErrorCode.INVALID_NUMBER, "id", broken(id=2**64)),
    ("id_text_too_large", ErrorCode.INVALID_NUMBER, "id", broken(id=str(2**64))),
    ("id_of_5000_digits", ErrorCode.INVALID_NUMBER, "id", broken(id="9" * 5000)),
    ("x_too_large", ErrorCode.INVALID_NUMBER, "payload.x", broken(payload__x=2**32)),
    ("payload_text", ErrorCode.INVALID_PAYLOAD, "payload", broken(payload="not json")),
    ("payload_array", ErrorCode.INVALID_PAYLOAD, "payload", broken(payload=[1])),
    ("payload_array_text", ErrorCode.INVALID_PAYLOAD, "payload", broken(payload="[1]")),
    ("payload_number", ErrorCode.INVALID_PAYLOAD, "payload", broken(payload=5)),
    ("payload_deep", ErrorCode.INVALID_PAYLOAD, "payload", broken(payload=nested(16))),
    ("payload_long", ErrorCode.INVALID_PAYLOAD, "payload", broken(payload__note="x" * (64 << 10))),
    ("session_id_long", ErrorCode.TOO_LONG, "session_id", broken(session_id="x" * 513)),
    ("event_title_long", ErrorCode.TOO_LONG, "payload.event_title", broken(payload__event_title="x" * 513)),
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

WARNED: list[tuple[str, ErrorCode, str, str]] = [
    *[
        (f"ip_{name}", ErrorCode.INVALID_IP, "ip", broken(ip=value))
        for name, value in (
            ("word", "localhost"),
            ("beyond_255", "256.1.1.1"),
            ("two_gaps", "1::2::3"),
            ("unknown_first_in_a_list", "unknown, 203.0.113.7"),
            ("port_without_number", "203.0.113.7:http"),
            ("zone_of_ipv4", "203.0.113.7%eth0"),
            ("network", "203.0.113.0/24"),
            ("leading_zeros", "203.000.113.007"),
        )
    ],
    ("ip_number", ErrorCode.WRONG_TYPE, "ip", broken(ip=3405803783)),
    ("device_watch", ErrorCode.UNKNOWN_DEVICE_TYPE, "device_type", broken(device_type="watch")),
    ("device_type_spaces", ErrorCode.UNKNOWN_DEVICE_TYPE, "device_type", broken(device_type="  ")),
    ("device_type_array", ErrorCode.WRONG_TYPE, "device_type", broken(device_type=["mobile"])),
    ("user_agent_long", ErrorCode.TOO_LONG, "user_agent", broken(user_agent="x" * 2049)),
    ("user_agent_object", ErrorCode.WRONG_TYPE, "user_agent", broken(user_agent={"browser": "Firefox"})),
    ("referrer_long", ErrorCode.TOO_LONG, "referrer", broken(referrer="x" * 8193)),
    ("referrer_boolean", ErrorCode.WRONG_TYPE, "referrer", broken(referrer=False)),
]
"""Optional values that cannot be used: the events are stored without them."""

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


READ: list[tuple[str, str, Any, Any]] = [
    *[
        (f"time_{name}", "created_at", f"2025-01-01{text}", "2025-01-01T10:00:00Z")
        for name, text in (
            ("hour_offset", "T13:00:00+03"),
            ("compact_offset", "T13:00:00+0300"),
            ("negative_compact_offset", "T04:30:00-0530"),
            ("utc_word", "T10:00:00UTC"),
            ("spaced_utc_word", " 10:00:00 UTC"),
            ("small_gmt_word", " 10:00:00 gmt"),
            ("spaced_offset", " 13:00:00 +03:00"),
            ("no_seconds", "T10:00"),
            ("no_seconds_and_offset", "T13:00+03"),
            ("one_digit", "T10:00:00.0Z"),
        )
    ],
    *[
        (f"user_id_{name}", "user_id", sent, 42)
        for name, sent in (("float", 42.0), ("float_text", "42.0"), ("long_float_text", "42.000"))
    ],
    ("id_exact_float", "id", float(2**53 - 1), 2**53 - 1),
    *[
        (f"x_{name}", "payload.x", sent, read)
        for name, sent, read in (
            ("half_is_up", 2.5, 3),
            ("just_below_half", 0.49999999999999994, 0),
            ("text_half", "0.5", 1),
            ("text_below_half", "0.4999999999999999999999", 0),
            ("negative", -1, 0),
            ("negative_fraction", -0.7, 0),
            ("negative_text", "-12.5", 0),
            ("plus_sign", "+7", 7),
            ("largest", 4294967295.4, 4294967295),
        )
    ],
    *[
        (f"ip_{name}", "ip", sent, read)
        for name, sent, read in (
            ("bracketed", "[2001:db8::1]", "2001:db8::1"),
            ("mapped", "::ffff:192.0.2.128", "192.0.2.128"),
            ("mapped_with_port", "[::ffff:192.0.2.128]:80", "192.0.2.128"),
            ("list_of_bracketed", "[2001:db8::1]:443, 203.0.113.7", "2001:db8::1"),
            ("spaced", " 203.0.113.7 ", "203.0.113.7"),
            ("long_ipv6", "2001:0DB8:0:0:0:0:0:1", "2001:db8::1"),
        )
    ],
    ("type_upper", "type", "CLICK", "click"),
    ("device_type_spaced", "device_type", "\tTablet ", "tablet"),
]


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
        ("01.03.2025 10:00", "the year first"),
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
