"""What the panel makes of the answers of other services."""

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from clickstream.mage_api import PipelineRun, RunStatus
from clickstream.storage.runs import RunRecord
from clickstream.storage.runs import RunStatus as RecordStatus
from control_panel.clients import mage, reports
from control_panel.clients.events import likely_kind
from control_panel.clients.system import ARRIVAL_SECONDS, BUCKET_SECONDS, Ledger, fill_arrivals

NOW = datetime(2026, 5, 4, 12, 0, 3, tzinfo=UTC)


def test_arrivals_have_a_row_for_each_interval_that_is_over() -> None:
    at = datetime(2026, 5, 4, 11, 59, 55, tzinfo=UTC)

    found = fill_arrivals({at: {"broker": 300, "http": 0}}, NOW)

    assert len(found.table) == ARRIVAL_SECONDS // BUCKET_SECONDS
    assert found.table["at"].to_pylist()[-1] == at
    assert found.table["broker"].to_pylist()[-2:] == [0, 60]
    assert found.per_second == 10
    assert found.last_at == at
    assert fill_arrivals({}, NOW).last_at is None


def test_the_ledger_is_summed_by_source_of_a_day_or_of_all() -> None:
    columns = ("source", "date", "received", "stored", "unaccounted")
    rows = (("csv", "2026-05-03", 5, 5, 0), ("http", "2026-05-04", 9, 7, 2), ("csv", "2026-05-04", 3, 3, 0))
    ledger = Ledger(columns, rows)

    assert [row["received"] for row in ledger.by_source()] == [9, 8]
    assert [row["received"] for row in ledger.by_source(NOW.date())] == [9, 3]
    assert [row["source"] for row in ledger.unbalanced()] == ["http"]


def test_a_run_is_matched_with_what_its_pipeline_noted() -> None:
    naive = NOW.replace(tzinfo=None)
    run = PipelineRun(7, "process_events", RunStatus.COMPLETED, naive, naive + timedelta(seconds=9))
    noted = RunRecord("a", "process_events", RecordStatus.SUCCEEDED, NOW + timedelta(seconds=2), rows_in=5)
    later = RunRecord("b", "process_events", RecordStatus.SUCCEEDED, NOW + timedelta(minutes=1))
    other = RunRecord("c", "load_csv", RecordStatus.SUCCEEDED, NOW)

    assert mage.record_of(run, (later, noted, other)) == noted
    assert mage.record_of(run, (later, other)) is None
    assert mage.seconds_of(run, NOW) == 9


def test_an_outline_encloses_an_element_and_leaves_out_strays() -> None:
    clicks = pa.table(
        {
            "element_id": ["#buy", "#buy", "#buy", "#far"],
            "x_bin": [0, 200, 240, 900],
            "y_bin": [0, 100, 120, 40],
            "clicks": [1, 60, 60, 5],
        }
    )

    found = reports.outlines(clicks)

    assert [(one.name, one.left, one.top, one.right, one.bottom) for one in found] == [
        ("#buy", 200, 100, 240, 120),
        ("#far", 900, 40, 900, 40),
    ]


def test_positions_far_outside_are_left_out_of_the_picture() -> None:
    clicks = pa.table(
        {"element_id": ["a", "b"], "x_bin": [20, 4294967280], "y_bin": [20, 20], "clicks": [3, 1]}
    )

    assert reports.count(reports.visible(clicks)) == 3


def test_a_csv_file_runs_no_formula() -> None:
    text = reports.as_csv(pa.table({"element_id": ["=1+1", "plain"], "views": [1, 2]})).decode("utf-8-sig")

    assert text.splitlines() == ["element_id,views", "'=1+1,1", "plain,2"]


@pytest.mark.parametrize(
    ("kind", "what", "likely"),
    [
        pytest.param("id", "1842", "id", id="a number is an id"),
        pytest.param("id", "s-77", "session", id="a text is a session"),
        pytest.param("user", "clickstream.events/0:1842:0", "record", id="a record"),
        pytest.param("session", "1842", "session", id="a session may be a number"),
    ],
)
def test_what_can_not_be_the_kind_that_was_chosen_is_looked_for_as_another(
    kind: str, what: str, likely: str
) -> None:
    assert likely_kind(kind, what) == likely
