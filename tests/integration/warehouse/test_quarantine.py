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
from tests.integration.warehouse.rows import START, after, quarantined_rows

ALL = QuarantineFilter(include_replayed=True)


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


def test_filters_by_code_source_and_time_of_receipt(client: Client) -> None:
    insert_quarantined(
        client,
        quarantined_rows(
            [
                {"offset": 1, "reasons": ["too_long", "invalid_ip"]},
                {"offset": 2, "source": "http"},
                {"offset": 3, "received_at": after(days=1)},
            ]
        ),
    )

    def offsets(wanted: QuarantineFilter) -> list[int | None]:
        return list_quarantined(client, wanted, 10)["offset"].to_pylist()

    assert offsets(QuarantineFilter(code=ErrorCode.INVALID_IP)) == [1]
    assert offsets(QuarantineFilter(source="http")) == [2]
    assert offsets(QuarantineFilter(since=after(hours=1))) == [3]
    assert offsets(QuarantineFilter()) == [3, 2, 1]
    assert list_quarantined(client, QuarantineFilter(), 1)["offset"].to_pylist() == [3]


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


def test_knows_what_is_in_quarantine_within_ranges(client: Client) -> None:
    insert_quarantined(client, quarantined_rows({"offset": offset} for offset in range(5)))
    known = known_quarantined(client, [OffsetRange("csv/a", 1, 3)])
    assert set(known["offset"].to_pylist()) == {2, 3}
