"""Records of the broker as raw rows: what each becomes, and that nothing raises."""

import copy
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clickstream.reasons import RECORD_CODES, ErrorCode
from clickstream.sources.broker import (
    MAX_ITEMS,
    MAX_VALUE_BYTES,
    BrokerRecord,
    ValueItem,
    raw_table,
    source_of,
    split_value,
)
from clickstream.storage.raw import RAW_SCHEMA


def record(value: bytes | None, offset: int = 7, source: str = "http") -> BrokerRecord:
    return BrokerRecord("events", 2, offset, 1_700_000_000_123, source, value)


def test_a_row_bears_the_coordinate_and_the_receipt_of_its_record() -> None:
    [row] = raw_table([record(b"{}")]).to_pylist()

    assert row.pop("received_at").timestamp() == 1_700_000_000.123
    assert row == {
        "source": "http",
        "origin": "events/2",
        "offset": 7,
        "item": 0,
        "body": "{}",
        "defect": "",
        "replay_of": "",
    }


def test_items_keep_their_text_and_are_counted_within_their_record() -> None:
    table = raw_table(
        [
            record(b'[ {"id": 18446744073709551615} ,{"x":1.50, "y":1e3}]', 1),
            record(b"[]", 2),
            record('{"имя":"кот"}'.encode(), 3, "tracker"),
        ]
    )

    assert table.schema == RAW_SCHEMA
    assert table.select(["source", "offset", "item", "body"]).to_pylist() == [
        {"source": "http", "offset": 1, "item": 0, "body": '{"id": 18446744073709551615}'},
        {"source": "http", "offset": 1, "item": 1, "body": '{"x":1.50, "y":1e3}'},
        {"source": "tracker", "offset": 3, "item": 0, "body": '{"имя":"кот"}'},
    ]


def test_no_records_give_no_rows() -> None:
    assert raw_table([]).num_rows == 0
    assert raw_table([record(b"[]")]).num_rows == 0


BROKEN = {
    "tombstone": (None, ErrorCode.INVALID_JSON, ""),
    "empty": (b"", ErrorCode.INVALID_JSON, ""),
    "blank": (b" \n", ErrorCode.INVALID_JSON, " \n"),
    "text": (b"hello", ErrorCode.INVALID_JSON, "hello"),
    "two_values": (b"{} {}", ErrorCode.INVALID_JSON, "{} {}"),
    "comma_missing": (b'[{"a":1} {"b":2},3]', ErrorCode.INVALID_JSON, '[{"a":1} {"b":2},3]'),
    "comma_too_many": (b'[{"a":1},]', ErrorCode.INVALID_JSON, '[{"a":1},]'),
    "bracket_missing": (b'[{"a":1},{"b":2]', ErrorCode.INVALID_JSON, '[{"a":1},{"b":2]'),
    "more_after_the_array": (b'[{"a":1}] 5', ErrorCode.INVALID_JSON, '[{"a":1}] 5'),
    "byte_order_marks_alone": (b"\xef\xbb\xbf\xef\xbb\xbf", ErrorCode.INVALID_JSON, ""),
    "too_deep": (b"[" * 9_999, ErrorCode.INVALID_JSON, "[" * 9_999),
    "latin1": ('["é"]'.encode("latin-1"), ErrorCode.INVALID_ENCODING, '"\\xe9"'),
    "utf16": ("{}".encode("utf-16"), ErrorCode.INVALID_ENCODING, "\\xff\\xfe{\x00}\x00"),
    "too_long": (b"[" + b" " * MAX_VALUE_BYTES + b"]", ErrorCode.TOO_LARGE, "[" + " " * 4095),
    "too_many": (b"[" + b"1," * MAX_ITEMS + b"1]", ErrorCode.TOO_LARGE, "[" + "1," * 2047 + "1"),
}


@pytest.mark.parametrize(("value", "code", "kept"), BROKEN.values(), ids=BROKEN)
def test_what_cannot_be_taken_apart_is_one_row_with_its_defect(
    value: bytes | None, code: ErrorCode, kept: str
) -> None:
    rows = raw_table([record(value)]).select(["item", "body", "defect"]).to_pylist()

    assert rows == [{"item": 0, "body": kept, "defect": code.value}]


@pytest.mark.parametrize("text", ["5", "null", '"x"', "true"])
def test_what_is_json_but_no_object_is_left_to_the_etl(text: str) -> None:
    assert split_value(text.encode()) == [ValueItem(text.encode())]


def test_an_item_that_is_too_large_does_not_take_the_others_with_it() -> None:
    large = '{"a":"' + "é" * (1 << 20) + '"}'
    rows = raw_table([record(f"[{{}},{large},[]]".encode())]).select(["item", "body", "defect"]).to_pylist()

    assert [(row["item"], row["defect"]) for row in rows] == [(0, ""), (1, "too_large"), (2, "")]
    assert large.startswith(rows[1]["body"])
    assert 4_090 < len(rows[1]["body"].encode()) <= 4_096


SPOILED = {
    "nan": (b'{"a":NaN}', '{"a":NaN}', ""),
    "infinity": (b'{"a":[-Infinity]}', '{"a":[-Infinity]}', ""),
    "half_a_surrogate_pair": (b'{"a":"\\ud83d"}', '{"a":"\\ud83d"}', ""),
    "no_value": (b'{"a":}', '{"a":}', ""),
    "single_quotes": (b"{'a':1}", "{'a':1}", ""),
    "line_break_in_a_text": (b'{"a":"\n"}', '{"a":"\n"}', ""),
    "comma_in_an_object": (b'{"a":1,}', '{"a":1,}', ""),
    "brackets_and_quotes_in_a_text": (b'{"a":"]},\\"[{", "b":NaN}', '{"a":"]},\\"[{", "b":NaN}', ""),
    "cyrillic_of_windows": ('{"a":"кот"}'.encode("cp1251"), '{"a":"\\xea\\xee\\xf2"}', "invalid_encoding"),
    "word": (b"undefined", "undefined", ""),
}


@pytest.mark.parametrize(("item", "kept", "defect"), SPOILED.values(), ids=SPOILED)
def test_an_item_that_cannot_be_read_does_not_take_the_others_with_it(
    item: bytes, kept: str, defect: str
) -> None:
    rows = raw_table([record(b'[{"x":1}, ' + item + b' ,\n{"y":[2]}]')])

    assert rows.select(["item", "body", "defect"]).to_pylist() == [
        {"item": 0, "body": '{"x":1}', "defect": ""},
        {"item": 1, "body": kept, "defect": defect},
        {"item": 2, "body": '{"y":[2]}', "defect": ""},
    ]


def test_items_are_counted_one_by_one_also_where_none_can_be_read() -> None:
    assert split_value(b'[{"a":NaN}, {"b":}]') == [ValueItem(b'{"a":NaN}'), ValueItem(b'{"b":}')]


def test_byte_order_marks_are_skipped() -> None:
    assert split_value(b"\xef\xbb\xbf\xef\xbb\xbf[{}]") == [ValueItem(b"{}")]


def test_of_a_broken_record_that_is_very_long_its_beginning_is_kept() -> None:
    [row] = raw_table([record(b"[" + b"1" * (2 << 20))]).to_pylist()

    assert (row["defect"], len(row["body"])) == ("invalid_json", 4_096)


def test_broken_records_between_good_ones_change_nothing_for_them() -> None:
    table = raw_table([record(b"[1,2]", 1), record(b"[", 2), record(b"[3]", 3)])

    assert table.select(["offset", "item", "body", "defect"]).to_pylist() == [
        {"offset": 1, "item": 0, "body": "1", "defect": ""},
        {"offset": 1, "item": 1, "body": "2", "defect": ""},
        {"offset": 2, "item": 0, "body": "[", "defect": "invalid_json"},
        {"offset": 3, "item": 0, "body": "3", "defect": ""},
    ]


@pytest.mark.parametrize(
    ("headers", "source"),
    [
        ([], "broker"),
        ([("source", b"http")], "http"),
        ([("source", b"tracker")], "tracker"),
        ([("source", b"csv")], "broker"),
        ([("source", None)], "broker"),
        ([("Source", b"http")], "broker"),
        ([("source", b"tracker"), ("trace", b"1"), ("source", b"http")], "http"),
    ],
)
def test_the_last_header_named_source_counts(headers: list[tuple[str, bytes | None]], source: str) -> None:
    assert source_of(headers) == source


def test_a_record_is_not_copied_from_block_to_block() -> None:
    original = record(b"{}")

    [copied] = copy.deepcopy([original])

    assert copied is original


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(st.lists(JSON))
def test_the_items_of_any_array_come_out_as_they_went_in(items: list[object]) -> None:
    table = raw_table([record(json.dumps(items).encode())])

    assert [json.loads(str(body)) for body in table["body"].to_pylist()] == json.loads(json.dumps(items))
    assert set(table["defect"].to_pylist()) <= {""}


@given(st.lists(st.binary() | st.none()))
def test_any_bytes_become_rows_that_say_what_is_wrong(values: list[bytes | None]) -> None:
    rows = raw_table([record(value, offset) for offset, value in enumerate(values)]).to_pylist()

    assert {row["offset"] for row in rows} >= {
        offset for offset, value in enumerate(values) if not (value or b"").strip().startswith(b"[")
    }
    assert {row["defect"] for row in rows} <= {"", *(code.value for code in RECORD_CODES)}
