import json
import math
from datetime import UTC, datetime
from typing import Any

import msgspec
import pyarrow as pa
import pytest
from clickhouse_connect.driver.client import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clickstream.event.payloads import storable
from clickstream.storage.events import (
    find_stored,
    insert_duplicates,
    insert_events,
    known_duplicates,
)
from clickstream.storage.ranges import OffsetRange
from tests.integration.warehouse.rows import after, duplicate_rows, event_rows

_KEYS = st.sampled_from(["", "a", "b", "a.b", ".", "a.", "%2E", "a`b", 'a"b', "\x00", "é", "x[0]"]) | st.text(
    max_size=4
)
_LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(10**40), 10**40)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=6)
    | st.sampled_from(["2025-01-01", "2025-01-01T10:00:00Z", "12", "\x00", "nan"])
)
_VALUES = st.recursive(
    _LEAVES,
    lambda children: st.lists(children, max_size=3) | st.dictionaries(_KEYS, children, max_size=3),
    max_leaves=8,
)
_PAYLOADS = st.dictionaries(_KEYS, _VALUES, max_size=4)


def _payload(client: Client, event_id: int) -> Any:
    text = client.query(
        "select toString(payload) from events where id = {id:UInt64}", parameters={"id": event_id}
    ).result_rows[0][0]
    return json.loads(text)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(payloads=st.lists(_PAYLOADS, min_size=1, max_size=10))
def test_every_payload_that_the_contract_allows_is_stored(
    client: Client, payloads: list[dict[str, Any]]
) -> None:
    client.command("truncate table events")
    texts = [storable(msgspec.json.encode(payload)).decode() for payload in payloads]
    insert_events(client, event_rows({"payload": text} for text in texts))
    assert client.query("select count() from events").result_rows == [(len(payloads),)]


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        pytest.param({"plan": "pro", "n": 1, "ok": True}, {"plan": "pro", "n": 1, "ok": True}, id="plain"),
        pytest.param({"at": "2025-01-01T10:00:00Z"}, {"at": "2025-01-01T10:00:00Z"}, id="a time is a text"),
        pytest.param({"n": "12"}, {"n": "12"}, id="digits in a text stay a text"),
        pytest.param({"l": [1, "a", {"b": [2]}]}, {"l": [1, "a", {"b": [2]}]}, id="mixed list"),
        pytest.param({"z": "a\x00b"}, {"z": "a\x00b"}, id="a NUL"),
        pytest.param({"": {"": 1}}, {"": {"": 1}}, id="empty keys"),
        pytest.param({"a": None, "b": {}}, {}, id="null and empty object are the same as nothing"),
        pytest.param({"a.b": 1}, {"a%2Eb": 1}, id="a dot in a key is escaped"),
        pytest.param(
            {"a": {"b": 3}, "a.b": 1}, {"a": {"b": 3}, "a%2Eb": 1}, id="keys do not hide each other"
        ),
        pytest.param({"n": 2**64}, {"n": str(2**64)}, id="an integer beyond 64 bits is a text"),
        pytest.param({"n": [-(2**63) - 1]}, {"n": [str(-(2**63) - 1)]}, id="a negative one is, too"),
        pytest.param(
            {"n": 2**64 - 1, "m": -(2**63)}, {"n": 2**64 - 1, "m": -(2**63)}, id="64 bits stay numbers"
        ),
    ],
)
def test_what_a_payload_becomes(client: Client, sent: Any, stored: Any) -> None:
    insert_events(client, event_rows([{"payload": storable(json.dumps(sent).encode())}]))
    assert _payload(client, 1) == stored


def test_the_deepest_the_longest_and_the_widest_payload_are_stored(client: Client) -> None:
    deepest = '{"a":' * 16 + "1" + "}" * 16
    longest = json.dumps({"a": "x" * 65_000})
    widest = json.dumps({f"k{number}": number for number in range(5_000)})
    insert_events(client, event_rows({"payload": text} for text in (deepest, longest, widest)))
    assert len(_payload(client, 3)) == 5_000
    assert len(_payload(client, 2)["a"]) == 65_000


def test_custom_fields_can_be_queried(client: Client) -> None:
    insert_events(client, event_rows([{"payload": '{"cart": {"total": 12.5}}'}, {"payload": "{}"}]))
    total = client.query("select sum(payload.cart.total::Nullable(Float64)) from events").result_rows[0][0]
    assert math.isclose(total, 12.5)


def test_no_key_hides_another(client: Client) -> None:
    keys = {"utm": {"source": "a"}, "utm.source": "b", "utm%2Esource": "c", "utm%252Esource": "d"}
    insert_events(client, event_rows([{"payload": storable(json.dumps(keys).encode()).decode()}]))
    query = (
        "select payload.utm.source, payload.`utm%2Esource`, payload.`utm%252Esource`, "
        "payload.`utm%25252Esource` from events"
    )
    assert client.query(query).result_rows == [("a", "b", "c", "d")]


def test_a_batch_may_reach_over_any_number_of_days_and_centuries(client: Client) -> None:
    moments = [after(days=-day) for day in range(400)]
    moments += [datetime(1970, 1, 1, tzinfo=UTC), datetime(2106, 1, 1, 23, 59, 59, 999_000, tzinfo=UTC)]
    insert_events(client, event_rows({"created_at": moment} for moment in moments))
    stored = client.query_arrow("select created_at from events order by id")["created_at"].to_pylist()
    assert stored == moments


def test_finds_stored_ids_with_their_coordinates(client: Client) -> None:
    insert_events(client, event_rows([{"id": 2**64 - 1, "offset": 5, "item": 3}, {"id": 0, "offset": 6}]))
    found = find_stored(client, pa.array([7, 2**64 - 1], pa.uint64()))
    assert found.to_pylist() == [{"id": 2**64 - 1, "origin": "csv/a", "offset": 5, "item": 3}]


def test_finds_a_hundred_thousand_ids_at_once(client: Client) -> None:
    insert_events(client, event_rows({"id": number} for number in range(0, 1_000, 2)))
    assert find_stored(client, pa.array(range(100_000), pa.uint64())).num_rows == 500


def test_events_that_were_deleted_may_come_again(client: Client) -> None:
    rows = event_rows([{"id": 1}])
    insert_events(client, rows)
    client.command("delete from events where id = 1")
    insert_events(client, rows)
    assert find_stored(client, pa.array([1], pa.uint64())).num_rows == 1


def test_looks_for_no_ids_without_asking(client: Client) -> None:
    assert find_stored(client, pa.array([], pa.uint64())).num_rows == 0


def test_knows_the_duplicates_within_ranges_and_no_others(client: Client) -> None:
    rows = duplicate_rows({"id": offset, "offset": offset} for offset in range(10))
    insert_duplicates(client, rows)
    known = known_duplicates(client, [OffsetRange("csv/a", 2, 5), OffsetRange("csv/b", -1, 100)])
    assert set(known["offset"].to_pylist()) == {3, 4, 5}
    assert known_duplicates(client, []).num_rows == 0
