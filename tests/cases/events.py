"""Events as real clients send them: what each costs, and what is stored of it, through every door.

The unit tests put these tables to both judges. `tests/integration/broker/test_doors.py` sends them over HTTP,
through the broker and in a CSV file, and looks at what is stored in the end.
"""

import json
from typing import Any

from clickstream.reasons import ErrorCode
from tests.unit.clickstream.judges import VALID_EVENT, broken


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
        for name, sent in (("float", 42.0), ("float_text", "42.0"), ("long_float_text", "42." + "0" * 30))
    ],
    *[
        (f"{name}_of_{zeros}_zeros", field, "0" * zeros + "42", 42)
        for name, field in (("user_id", "user_id"), ("x", "payload.x"))
        for zeros in (20, 600, 5_000)
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


GOOGLEBOT = (
    "Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X Build/MMB29P) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/126.0.0.0 Mobile Safari/537.36 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
)
OLD_IE = "Mozilla/5.0 (compatible; MSIE 9.0; Windows NT 6.1; Trident/5.0; InfoPath.2; Tablet PC 2.0)"
OPERA_MINI = "Opera/9.80 (J2ME/MIDP; Opera Mini/7.1.32052/29.3709; U; en) Presto/2.8"


def payload(**own: Any) -> dict[str, Any]:
    """The payload of the valid event with fields of its sender's own."""
    return {**VALID_EVENT["payload"], **own}


STORED: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    *[
        (f"url_{name}", {"url": url}, {"url": url, "url_host": host, "url_path": path})
        for name, url, host, path in (
            ("path", "/catalog?foo=bar#top", "", "/catalog"),
            ("host_alone", "https://Shop.Example:8443", "shop.example", "/"),
            ("user_and_port", "https://jane:secret@shop.example:80/a?b", "shop.example", "/a"),
            ("ipv6_host", "http://[2001:DB8::1]:8080/a", "[2001:db8::1]", "/a"),
            ("no_scheme", "//cdn.example/a", "cdn.example", "/a"),
            ("query_alone", "?utm_source=mail", "", "/"),
            ("fragment_alone", "#/cart", "", "/"),
            ("letters", "/каталог/чай", "", "/каталог/чай"),
            ("escaped_letters", "/%D0%BA%D0%B0%D1%82/%d1%87", "", "/кат/ч"),
            ("escaped_slash", "/a%2fb%20c", "", "/a%2Fb%20c"),
            ("escapes_of_latin_1", "/caf%e9", "", "/caf%E9"),
            ("cut_off_escape", "/a%d0%b", "", "/a%D0%b"),
            ("escaped_emoji", "/%F0%9F%8D%B5", "", "/🍵"),
            ("escaped_surrogate", "/%ed%a0%80", "", "/%ED%A0%80"),
            ("overlong_escape", "/%c0%af", "", "/%C0%AF"),
            ("question_mark_in_the_query", "/a?b=c?d/e", "", "/a"),
            ("tab_and_line_break", "/a\tb\nc", "", "/a\tb\nc"),
            ("file", "file:///C:/shop/index.html", "", "/C:/shop/index.html"),
            ("app", "android-app://com.example/cart", "com.example", "/cart"),
        )
    ],
    *[
        (f"payload_{name}", {"payload": payload(**own)}, {"payload": payload(**own)})
        for name, own in (
            ("dotted_beside_nested", {"utm.source": "b", "utm": {"source": "a"}}),
            (
                "time_as_text",
                {"at": "2025-01-01 10:00:00", "on": "2025-01-01", "iso": "2025-01-01T10:00:00Z"},
            ),
            ("numbers_as_text", {"a": "1", "b": "1.50", "c": "-0", "d": "1e5", "e": "0042"}),
            ("words_as_text", {"a": "true", "b": "null", "c": "NaN", "d": "", "e": " "}),
            ("largest_numbers", {"a": 2**64 - 1, "b": -(2**63), "c": 0.1, "d": 1e300, "e": -1.5e-7}),
            ("booleans", {"a": True, "b": False}),
            ("arrays", {"a": [1, 2, 3], "b": ["x", "y"], "c": [{"d": 1}, {"d": "x"}], "e": [[1], [2]]}),
            ("mixed_array", {"a": [1, "x", True, 2.5]}),
            ("cases_of_keys", {"Key": 1, "key": 2, "KEY": 3}),
            ("odd_keys", {"a b": 1, "ключ": 2, "a`b": 3, "$a": 4, "a[0]": 5, 'a"b': 6, "a\\b": 7}),
            ("control_characters", {"a": "x\ty\nz", "b": "\u0000", "c": "\u2028"}),
            ("emoji", {"a": "🍵", "b": "👩‍👩‍👧"}),
            ("many_keys", {f"key_{number}": number for number in range(200)}),
            ("same_key_in_many_depths", {"a": {"a": {"a": {"b": 1}}}}),
        )
    ],
    *[
        (f"payload_{name}", {"payload": payload(**sent)}, {"payload": payload(**stored)})
        for name, sent, stored in (
            ("escaped_dot_beside_dot", {"a%2Eb": 1, "a.b": 2}, {"a%252Eb": 1, "a.b": 2}),
            (
                "escapes_of_escapes",
                {"a%252Eb": 1, "a%2Eb": 2, "a%25": 3, "a%2eb": 4},
                {"a%25252Eb": 1, "a%252Eb": 2, "a%25": 3, "a%2eb": 4},
            ),
        )
    ],
    (
        "payload_number_beyond_64_bits",
        {"payload": payload(number=10**25)},
        {"payload": payload(number=str(10**25))},
    ),
    ("payload_null", {"payload": payload(coupon=None)}, {"payload": payload()}),
    ("payload_empty_object", {"payload": payload(extra={})}, {"payload": payload()}),
    ("payload_empty_array", {"payload": payload(extra=[])}, {"payload": payload(extra=[])}),
    ("payload_empty_key", {"payload": payload(**{"": 1})}, {"payload": payload(**{"": 1})}),
    *[
        (
            f"agent_{name}",
            {"user_agent": agent, "device_type": ...},
            {"user_agent": agent, "device_type": device_type, "is_bot": is_bot},
        )
        for name, agent, device_type, is_bot in (
            ("old_ie_with_tablet_services", OLD_IE, "desktop", False),
            ("opera_mini", OPERA_MINI, "mobile", False),
            ("googlebot", GOOGLEBOT, "mobile", True),
            ("curl", "curl/8.4.0", "desktop", False),
        )
    ],
    ("largest_ids", {"user_id": 2**64 - 1}, {"user_id": 2**64 - 1}),
    ("texts_with_spaces", {"session_id": " s 1 "}, {"session_id": " s 1 "}),
    ("text_of_null", {"session_id": "nullable"}, {"session_id": "nullable"}),
    ("quotes", {"session_id": "a\"b'c,d;e|f\\g"}, {"session_id": "a\"b'c,d;e|f\\g"}),
]
"""Changes to the valid event, and what the columns of `events` hold then."""
