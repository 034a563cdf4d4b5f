from collections import Counter
from typing import Any

import pytest

from generator.answer_key import VIEW_COLUMNS, ActiveUsers
from tests.unit.generator.conftest import Dataset
from tests.unit.generator.recount import RECOUNTS, as_rows


def _sorted(rows: list[list[Any]]) -> list[tuple[Any, ...]]:
    return sorted(map(tuple, rows), key=lambda row: tuple(map(str, row)))


@pytest.mark.parametrize("view", VIEW_COLUMNS)
def test_each_view_equals_a_recount_of_the_file(dataset: Dataset, view: str) -> None:
    rows = dataset.key["views"][view]["rows"]

    assert rows
    assert _sorted(rows) == as_rows(RECOUNTS[view](dataset.recount.events))


@pytest.mark.parametrize("view", VIEW_COLUMNS)
def test_each_view_equals_a_recount_where_days_are_empty(sparse_dataset: Dataset, view: str) -> None:
    rows = sparse_dataset.key["views"][view]["rows"]

    assert _sorted(rows) == as_rows(RECOUNTS[view](sparse_dataset.recount.events))


def test_an_empty_day_has_a_row_of_active_users(sparse_dataset: Dataset) -> None:
    rows = sparse_dataset.key["views"]["daily_active_users"]["rows"]

    assert any(dau == 0 and mau > 0 for _, dau, _, mau in rows)


def test_an_element_clicked_but_not_viewed_has_no_conversion(dataset: Dataset) -> None:
    rows = dataset.key["views"]["element_conversion"]["rows"]
    without_views = [row for row in rows if row[4] == 0]

    assert without_views
    assert all(row[5] > 0 and row[6] is None for row in without_views)


def test_a_day_of_single_events_has_no_duration(sparse_dataset: Dataset) -> None:
    rows = sparse_dataset.key["views"]["session_durations"]["rows"]

    assert any(row[1] == row[4] and row[2] is None and row[3] is None for row in rows)


def test_ledger_counts_every_record_once(dataset: Dataset) -> None:
    recount = dataset.recount
    ledger = dict(
        zip(dataset.key["ledger"]["columns"], dataset.key["ledger"]["rows"][0], strict=True),
    )

    assert ledger == {
        "source": "csv",
        "received": len(recount.records),
        "stored": recount.stored,
        "duplicate": recount.duplicates,
        "quarantined": sum(map(bool, recount.codes)),
    }
    assert ledger["received"] == dataset.plan.events


def test_quarantine_counts_a_record_under_each_of_its_codes(dataset: Dataset) -> None:
    found = Counter(code for codes in dataset.recount.codes for code in codes)
    expected = dataset.key["quarantined"]

    assert {code: count for code, count in expected["by_code"].items() if count} == found
    assert expected["rows"] == sum(map(bool, dataset.recount.codes)) < sum(found.values())


def test_active_users_leave_the_windows_after_7_and_30_days() -> None:
    active = ActiveUsers()
    active.close_day(0, {1})
    rows = active.close_day(30, {2})

    counts = {row[0]: row[1:] for row in rows}
    assert counts["1970-01-07"] == [0, 1, 1]
    assert counts["1970-01-08"] == [0, 0, 1]
    assert counts["1970-01-30"] == [0, 0, 1]
    assert counts["1970-01-31"] == [1, 1, 1]
