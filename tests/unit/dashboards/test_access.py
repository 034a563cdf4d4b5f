"""The grants of the dashboards' user follow the datasets."""

import re

from clickstream.storage.views import SEGMENT_VIEWS, VIEWS
from dashboards.files import read_assets
from stack.gateway.access import dashboards_grants


def test_each_view_that_a_dataset_reads_is_granted_and_no_other() -> None:
    read = {
        name
        for dataset in read_assets().datasets.values()
        for name in re.findall(r"\b(?:from|join) (\w+)", dataset.get("sql") or f"from {dataset['table']}")
    }
    granted = {grant.rpartition(".")[2] for grant in dashboards_grants("any")}
    inner = {"pending_origins"}
    assert granted & {*VIEWS, *SEGMENT_VIEWS} == read & {*VIEWS, *SEGMENT_VIEWS} | inner


def test_no_column_that_tells_of_a_person_is_granted() -> None:
    columns = {
        (grant.rpartition(".")[2], column)
        for grant in dashboards_grants("any")
        for column in re.findall(r"\w+", (re.findall(r"\((.*)\)", grant) or [""])[0])
    }
    tables = {table for table, _ in columns}
    assert tables == {
        "raw_events", "events", "duplicate_events", "quarantined_events", "erased_events",
    }  # fmt: skip
    assert {column for _, column in columns} == {
        "source", "origin", "offset", "item", "received_at", "received_date", "reasons", "replayed_at",
        "warnings", "warning_fields",
    }  # fmt: skip
    assert "users" not in {grant.rpartition(".")[2] for grant in dashboards_grants("any")}


def test_the_database_of_the_settings_is_quoted() -> None:
    assert dashboards_grants("a`b")[0].startswith(r"grant select on `a\`b`.")
