"""The charts on quality show what the answer keys say of good, repeated and broken events."""

import json
from collections import Counter
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from benchmarks.dashboard_page import charts_of
from clickstream.storage.client import Role, connect
from dashboards.files import Document, read_assets
from generator.plan import DatasetFiles
from stack.lifecycle import Stack
from tests.e2e.dashboards.expected import Shown, as_shown, count_by
from tests.e2e.dashboards.superset_client import SupersetClient
from tests.e2e.dashboards.test_numbers import choose
from tests.integration.warehouse.recount import Event

LEDGER: Final = ("received_total", "stored_total", "duplicate_total", "quarantined_total")

Rows = list[dict[str, Any]]


class Charts:
    """The charts, and the rows that they show with some filters."""

    def __init__(self, viewer: SupersetClient, asked: Mapping[str, Document]) -> None:
        self._viewer = viewer
        self._asked = asked

    def rows(self, chart: str, **chosen: str) -> Rows:
        choices = {column: [value] for column, value in chosen.items()}
        return self._viewer.chart_data(choose(self._asked[chart], choices, False))[0]

    def value(self, chart: str, metric: str, **chosen: str) -> Any:
        """Of a chart that shows a single number."""
        (row,) = self.rows(chart, **chosen)
        return row[metric]

    def totals(self, chart: str, by: str, metric: str, **chosen: str) -> Counter[Any]:
        """A metric added up over all but one column, so that the day on which a test runs does not matter."""
        found: Counter[Any] = Counter()
        for row in self.rows(chart, **chosen):
            found[row[by]] += row[metric] or 0
        return +found


@pytest.fixture(scope="module")
def charts(viewer: SupersetClient, asked: Mapping[str, Document]) -> Charts:
    return Charts(viewer, asked)


@pytest.fixture(scope="module")
def ledger(files: dict[str, DatasetFiles]) -> dict[str, dict[str, int]]:
    """The ledger of each source, by the answer keys and the one event that the fixture sends beside them."""
    found = {
        source: dict(zip(LEDGER, _key(file)["ledger"]["rows"][0][1:], strict=True))
        for source, file in files.items()
    }
    for name in ("received_total", "stored_total"):
        found["http"][name] += 1
    return found


@pytest.fixture(scope="module")
def codes(files: dict[str, DatasetFiles]) -> Counter[str]:
    """Broken events by error code, by the answer key; all came from the file."""
    return +Counter(_key(files["csv"])["quarantined"]["by_code"])


def _key(files: DatasetFiles) -> dict[str, Any]:
    key: dict[str, Any] = json.loads(files.key.read_text(encoding="utf-8"))
    return key


def test_the_ledger_is_that_of_the_answer_keys(charts: Charts, ledger: dict[str, dict[str, int]]) -> None:
    expected = [
        {
            "source": source,
            **counts,
            "open_total": counts["quarantined_total"],
            "pending_total": 0,
            "erased_total": 0,
            "quarantined_percent": 100 * counts["quarantined_total"] / counts["received_total"],
        }
        for source, counts in ledger.items()
    ]
    assert as_shown(charts.rows("ledger_by_source")) == as_shown(expected)
    assert [row["source"] for row in charts.rows("ledger_by_source", source="http")] == ["http"]


def test_the_single_numbers_are_those_of_the_ledger(
    charts: Charts, ledger: dict[str, dict[str, int]]
) -> None:
    both = {name: sum(counts[name] for counts in ledger.values()) for name in LEDGER}
    assert charts.value("received", "received_total") == both["received_total"]
    assert charts.value("received", "received_total", source="csv") == ledger["csv"]["received_total"]
    share = 100 * both["quarantined_total"] / both["received_total"]
    assert charts.value("bad_share", "quarantined_percent") == pytest.approx(share)
    assert charts.value("bad_share", "quarantined_percent", source="http") == 0
    assert charts.value("pending", "pending_total") == 0
    assert charts.value("unaccounted", "unaccounted_total") == 0


def test_all_that_was_received_is_in_the_numbers(charts: Charts, stack: Stack) -> None:
    client = connect(stack.settings.clickhouse, Role.READER)
    last = client.query("select toUnixTimestamp64Milli(max(received_at)) from raw_events").result_rows[0][0]
    assert charts.value("complete_through", "complete_through") == last


def test_broken_events_have_the_codes_of_the_answer_key(charts: Charts, codes: Counter[str]) -> None:
    assert charts.totals("quarantined_by_code", "code", "events_total") == codes
    by_source = charts.rows("codes_by_source")
    assert {row["code"]: row["events_total"] for row in by_source} == codes
    assert {(row["source"], row["replayed_total"]) for row in by_source} == {("csv", 0)}
    assert all(row["open_total"] == row["events_total"] for row in by_source)
    chosen = charts.totals("quarantined_by_code", "code", "events_total", code="missing_field")
    assert chosen == {"missing_field": codes["missing_field"]}
    assert charts.rows("quarantined_by_code", source="http") == []


def test_shares_and_duplicates_by_day_add_up(charts: Charts, ledger: dict[str, dict[str, int]]) -> None:
    duplicates = {source: counts["duplicate_total"] for source, counts in ledger.items()}
    assert charts.totals("duplicates_by_day", "source", "duplicate_total") == duplicates
    days = {row["date"] for row in charts.rows("bad_share_by_day")}
    if len(days) == 1:  # Not while the test runs over midnight.
        shares = {row["source"]: row["quarantined_percent"] for row in charts.rows("bad_share_by_day")}
        csv = ledger["csv"]
        assert shares == {
            "csv": pytest.approx(100 * csv["quarantined_total"] / csv["received_total"]),
            "http": 0,
        }


def test_the_last_hours_add_up_to_what_was_received(
    charts: Charts, ledger: dict[str, dict[str, int]]
) -> None:
    """All of it was received while this test runs, which is less than three days ago."""
    received = {source: counts["received_total"] for source, counts in ledger.items()}
    assert charts.totals("received_by_hour", "source", "received_total") == received
    worst = dict.fromkeys(ledger, 0.0)
    for row in charts.rows("bad_share_by_hour"):
        worst[row["source"]] = max(worst[row["source"]], row["quarantined_percent"] or 0)
    counts = ledger["csv"]
    assert worst["csv"] >= 100 * counts["quarantined_total"] / counts["received_total"]
    assert worst["http"] == 0


@pytest.mark.parametrize("source", ["", "csv", "http"])
def test_lateness_is_the_time_from_event_to_receipt(charts: Charts, events: list[Event], source: str) -> None:
    chosen = {"source": source} if source else {}
    of_source = [event for event in events if not source or event["source"] == source]
    everything = Shown(of_source, date.min + timedelta(days=1), date.max)
    expected = Counter({row["lateness"]: row["events_total"] for row in count_by("lateness")(everything)})
    assert charts.totals("lateness_by_day", "lateness", "events_total", **chosen) == expected


def test_great_expectations_found_what_is_wrong_in_each_event_and_nothing_else(
    charts: Charts, stack: Stack, codes: Counter[str], ledger: dict[str, dict[str, int]]
) -> None:
    client = connect(stack.settings.clickhouse, Role.READER)
    rows = client.query("select arrayJoin(errors).code from quarantined_events final").result_rows
    errors = Counter(code for (code,) in rows)
    stored = client.query("select code, sum(events) from event_warnings group by code").result_rows
    warnings = Counter({str(code): int(events) for code, events in stored})
    broken = charts.totals("expectations_broken", "code", "unexpected_total")
    del broken[""]
    # An event without two of its fields has one code, and breaks two expectations.
    # Repeated and refused events break expectations on optional values, too.
    assert {code: count for code, count in broken.items() if code not in warnings} == {
        code: count for code, count in errors.items() if code not in warnings
    }
    assert all(broken[code] >= errors[code] + warnings[code] for code in warnings)
    assert broken.keys() == errors.keys() | warnings.keys()
    assert errors.keys() == codes.keys()
    assert all(errors[code] >= codes[code] for code in codes)
    judged = {row["evaluated_total"] for row in charts.rows("expectations_broken") if row["code"]}
    assert max(judged) == sum(counts["received_total"] for counts in ledger.values())
    for row in charts.rows("expectations_met"):
        assert 99 < row["rows_met_percent"] < 100
        assert 0 < row["batches_met_percent"] <= 100


def test_warnings_are_those_of_the_stored_events(charts: Charts, stack: Stack) -> None:
    client = connect(stack.settings.clickhouse, Role.READER)
    found = client.query(
        "select field, count() from events array join warning_fields as field group by field"
    ).result_rows
    expected = Counter({str(field): int(events) for field, events in found})

    assert expected
    assert charts.totals("warnings_by_field", "field", "events_total") == expected


def test_bots_are_counted_apart_from_people(charts: Charts, events: list[Event]) -> None:
    expected = Counter(event["bot_name"] for event in events if event["is_bot"])

    assert expected
    assert charts.totals("bots_by_day", "bot_name", "events_total") == expected


def test_every_chart_on_quality_is_looked_at_here() -> None:
    text = Path(__file__).read_text(encoding="utf-8")
    shown = charts_of(read_assets().dashboards["data_quality"])
    assert [chart for chart in shown if f'"{chart}"' not in text] == []
