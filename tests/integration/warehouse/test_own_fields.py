"""Own fields: bounded by settings, nothing missing, and found in events that were stored before."""

import json
from collections.abc import Iterator

import pytest
from clickhouse_connect.driver.client import Client

from clickstream.event.payloads import own_fields, storable
from clickstream.settings import ClickHouseSettings, get_settings
from clickstream.storage.checks import run_checks
from clickstream.storage.client import Role, connect
from clickstream.storage.events import insert_events
from clickstream.storage.marts import rebuild_days
from clickstream.storage.migrations import migrate
from clickstream.storage.views import read_view
from tests.integration.warehouse.rows import START, event_rows


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Two fields of two values; five values are too many."""
    for name, value in {
        "OWN_FIELDS": "2",
        "OWN_FIELD_VALUES": "2",
        "OWN_FIELD_MAX_VALUES": "4",
        "OWN_FIELDS_ALWAYS": "order, coupon",
    }.items():
        monkeypatch.setenv(f"CLICKSTREAM_MARTS__{name}", value)
    get_settings.cache_clear()
    yield
    monkeypatch.undo()
    get_settings.cache_clear()


def _listed(client: Client, field: str) -> dict[str, tuple[int, int]]:
    rows = read_view(client, "own_fields").to_pylist()
    return {row["value"]: (row["views"], row["values_found"]) for row in rows if row["field"] == field}


def _store(client: Client, fields: list[dict[str, str]]) -> None:
    rows = [
        {"own_fields": list(own.items()), "session_id": f"s{place // 2}"} for place, own in enumerate(fields)
    ]
    insert_events(client, event_rows(rows))
    rebuild_days(client, [START.date()])
    failed = [
        check.name for check in run_checks(client) if check.name.startswith("own_fields") and check.rows
    ]
    assert failed == []


@pytest.mark.usefixtures("limits")
def test_values_beyond_the_limit_are_one_value(client: Client) -> None:
    _store(client, [{"variant": value} for value in "aaabbcd"])
    assert _listed(client, "variant") == {"a": (3, 4), "b": (2, 4), "(other)": (2, 4)}


@pytest.mark.usefixtures("limits")
def test_a_field_with_very_many_values_keeps_none_unless_it_is_named(client: Client) -> None:
    _store(client, [{"number": value, "order": value} for value in "aabcdef"])
    assert _listed(client, "number") == {"(other)": (7, 6)}
    assert _listed(client, "order") == {"a": (2, 6), "b": (1, 6), "(other)": (4, 6)}


@pytest.mark.usefixtures("limits")
def test_fields_beyond_the_limit_are_one_field(client: Client) -> None:
    _store(
        client, [{"variant": "a", "plan": "x"}, {"variant": "a", "plan": "x"}, {"rare": "r"}, {"once": "o"}]
    )
    assert _listed(client, "(other)") == {"(other)": (2, 0)}
    assert {row["field"] for row in read_view(client, "own_fields").to_pylist()} == {
        "variant",
        "plan",
        "(other)",
    }


def test_sessions_are_distinct_over_elements(client: Client) -> None:
    seen = [{"own_fields": [("variant", "a")], "element_id": name} for name in ("#a", "#b")]
    insert_events(client, event_rows([*seen, seen[0] | {"type": "click"}]))
    rebuild_days(client, [START.date()])
    (row,) = read_view(client, "own_fields").to_pylist()
    assert (row["sessions"], row["sessions_viewed"], row["sessions_clicked"]) == (1, 1, 1)
    assert read_view(client, "own_field_elements").num_rows == 2


PAYLOADS = [
    '{"event_title": "hero", "element_id": "#a", "x": 1, "variant": "b", "price": 19.9, "member": true}',
    '{"a.b": "dot", "a%2Eb": "escaped", "none": null, "list": [1], "object": {"in": 1}, "empty": ""}',
    '{"whole": 42, "text": "line\\nbreak \\"quoted\\"", "Ж": "ж"}',
]


def test_events_that_were_stored_before_have_the_fields_of_their_payload(
    new_settings: ClickHouseSettings,
) -> None:
    client = connect(new_settings, Role.WRITER)
    migrate(client, new_settings)
    insert_events(client, event_rows([{"payload": storable(text.encode())} for text in PAYLOADS]))
    client.command(
        "alter table schema_migrations delete where name = '0016_own_fields'", settings={"mutations_sync": 1}
    )

    assert migrate(client, new_settings) == ["0016_own_fields"]

    stored = client.query("select own_fields from events order by id").result_rows
    assert [fields for (fields,) in stored] == [dict(own_fields(json.loads(text))) for text in PAYLOADS]
