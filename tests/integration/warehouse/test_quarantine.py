import pytest
from clickhouse_connect.driver.client import Client

from clickstream.reasons import ErrorCode
from clickstream.storage.quarantine import (
    QUARANTINED_SCHEMA,
    QuarantineFilter,
    count_quarantined,
    insert_quarantined,
    known_quarantined,
    list_quarantined,
    mark_replayed,
    unreplayed,
)
from clickstream.storage.ranges import OffsetRange
from clickstream.storage.views import read_view
from tests.integration.warehouse.rows import START, after, quarantined_rows

ALL = QuarantineFilter(include_replayed=True)
SESSION = """{"session_id": "s'1"}"""


def test_an_invalid_event_is_read_as_it_was_written(client: Client) -> None:
    written = quarantined_rows([{"offset": 4, "body": 'it\'s "broken"\n\x00'}])
    insert_quarantined(client, written)
    read = list_quarantined(client, QuarantineFilter(), 10)
    assert read.schema == QUARANTINED_SCHEMA
    assert read.select(written.column_names).to_pylist() == written.to_pylist()
    assert read["replayed_at"].to_pylist() == [None]


def test_an_event_written_twice_is_there_once(client: Client) -> None:
    for _ in range(2):
        insert_quarantined(client, quarantined_rows([{"offset": 4}]))
    assert list_quarantined(client, ALL, 10).num_rows == 1


@pytest.mark.parametrize(
    ("wanted", "offsets"),
    [
        pytest.param(QuarantineFilter(), [6, 5, 4, 3, 2, 1], id="all"),
        pytest.param(QuarantineFilter(code=ErrorCode.INVALID_IP), [1], id="code"),
        pytest.param(QuarantineFilter(field="url"), [1], id="field"),
        pytest.param(QuarantineFilter(source="http"), [2], id="source"),
        pytest.param(QuarantineFilter(since=after(hours=1)), [6], id="since"),
        pytest.param(QuarantineFilter(until=after(hours=1)), [5, 4, 3, 2, 1], id="until"),
        pytest.param(QuarantineFilter(origin="csv/abcd"), [3], id="file"),
        pytest.param(QuarantineFilter(origin="csv/abc"), [4, 3], id="beginnings-of-hashes"),
        pytest.param(QuarantineFilter(origin="topic/1"), [5], id="partition-1-is-not-10"),
        pytest.param(QuarantineFilter(session="s'1"), [5], id="session"),
        pytest.param(QuarantineFilter(line=4), [4], id="line"),
        pytest.param(QuarantineFilter(line=4, origin="csv/abcd"), [], id="line-of-another-file"),
        pytest.param(QuarantineFilter(text="HoVeR"), [6, 4, 3, 2, 1], id="text-in-any-case"),
    ],
)
def test_a_filter_keeps_what_it_says(client: Client, wanted: QuarantineFilter, offsets: list[int]) -> None:
    url_error = {"code": "too_long", "field": "url", "message": "", "value": ""}
    insert_quarantined(
        client,
        quarantined_rows(
            [
                {"offset": 1, "reasons": ["too_long", "invalid_ip"], "errors": [url_error]},
                {"offset": 2, "source": "http"},
                {"offset": 3, "origin": "csv/abcd"},
                {"offset": 4, "origin": "csv/abce", "received_at": after(seconds=1)},
                {"offset": 5, "origin": "topic/1", "received_at": after(seconds=2), "body": SESSION},
                {"offset": 6, "origin": "topic/10", "received_at": after(days=1)},
            ]
        ),
    )

    found = list_quarantined(client, wanted, 10)["offset"].to_pylist()

    assert sorted(found, key=lambda one: -(one or 0)) == offsets
    assert list_quarantined(client, QuarantineFilter(), 1)["offset"].to_pylist() == [6], "the latest first"


def test_counts_an_event_under_each_of_its_codes(client: Client) -> None:
    insert_quarantined(
        client, quarantined_rows([{"offset": 1, "reasons": ["too_long", "invalid_ip"]}, {"offset": 2}])
    )
    assert count_quarantined(client, ALL) == {"too_long": 1, "invalid_ip": 1, "unknown_event_type": 1}


def test_a_replayed_event_stays_and_is_not_offered_again(client: Client) -> None:
    rows = quarantined_rows([{"offset": 1}, {"offset": 2}])
    insert_quarantined(client, rows)
    mark_replayed(client, rows.slice(0, 1), after(days=2))

    offered = [offset for table in unreplayed(client, ALL) for offset in table["offset"].to_pylist()]
    assert offered == [2]
    assert list_quarantined(client, QuarantineFilter(), 10)["offset"].to_pylist() == [2]
    kept = {row["offset"]: row for row in list_quarantined(client, ALL, 10).to_pylist()}
    assert kept[1]["replayed_at"] == after(days=2)
    assert kept[1]["body"] == rows["body"][0].as_py()


def test_the_ledger_and_the_codes_tell_open_events_from_those_sent_again(client: Client) -> None:
    rows = quarantined_rows([{"offset": 1}, {"offset": 2}, {"offset": 3}])
    insert_quarantined(client, rows)
    mark_replayed(client, rows.slice(0, 1), after(days=2))

    [ledger] = read_view(client, "ledger").to_pylist()
    [code] = read_view(client, "quarantined_by_code").to_pylist()
    assert (ledger["quarantined"], ledger["open"]) == (3, 2)
    assert (code["events"], code["open"], code["replayed"]) == (3, 2, 1)


def test_the_stream_is_in_the_order_of_receipt_and_not_disturbed_by_marks(client: Client) -> None:
    rows = quarantined_rows(
        {"offset": offset, "received_at": after(seconds=-offset)} for offset in range(100)
    )
    insert_quarantined(client, rows)
    seen: list[int | None] = []
    for table in unreplayed(client, QuarantineFilter(), batch_rows=10):
        mark_replayed(client, table, START)
        seen += table["offset"].to_pylist()
    assert seen == list(range(99, -1, -1))
    assert list(unreplayed(client, QuarantineFilter())) == []


def test_a_batch_of_a_file_is_marked_in_requests_that_a_server_takes(client: Client) -> None:
    """A server reads a mebibyte of an address (`http_max_uri_size`), in which the coordinates are."""
    origin = f"csv/{'0123456789abcdef' * 4}"
    rows = quarantined_rows({"origin": origin, "offset": 10**9 + offset} for offset in range(10_000))
    insert_quarantined(client, rows)

    mark_replayed(client, rows, START)

    assert list(unreplayed(client, QuarantineFilter())) == []


def test_knows_what_is_in_quarantine_within_ranges(client: Client) -> None:
    insert_quarantined(client, quarantined_rows({"offset": offset} for offset in range(5)))
    known = known_quarantined(client, [OffsetRange("csv/a", 1, 3)])
    assert set(known["offset"].to_pylist()) == {2, 3}
