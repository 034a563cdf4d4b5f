import re
from pathlib import Path

import pytest
import yaml

from clickstream.storage.checks import CHECKS, describe
from clickstream.storage.marts import MARTS, SUMMARIES
from clickstream.storage.sql import WAREHOUSE_PATH, list_names, load_sql
from clickstream.storage.views import VIEWS

SQL_FILES = sorted(WAREHOUSE_PATH.rglob("*.sql"))
SELECTS = [
    path
    for path in SQL_FILES
    if path.parent.name in {"marts", "segments", "summaries", "views", "checks", "queries"}
]


def _without_comments(path: Path) -> str:
    return re.sub(r"--[^\n]*", "", path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", SQL_FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_file_says_what_it_is_for(path: Path) -> None:
    assert path.read_text(encoding="utf-8").startswith("-- Purpose: ")


@pytest.mark.parametrize("path", SELECTS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_select_says_its_grain(path: Path) -> None:
    assert re.search(r"\bOne row(\s|:)", path.read_text(encoding="utf-8").replace("\n-- ", " "))


@pytest.mark.parametrize("path", SQL_FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_no_file_selects_all_columns_unnamed(path: Path) -> None:
    assert not re.search(r"select\s+\*", _without_comments(path))


def test_every_migration_has_a_number_of_its_own() -> None:
    numbers = [name.partition("_")[0] for name in list_names("migrations")]
    assert all(re.fullmatch(r"\d{4}", number) for number in numbers)
    assert len(set(numbers)) == len(numbers)


@pytest.mark.parametrize(("folder", "names"), [("marts", MARTS), ("summaries", SUMMARIES), ("views", VIEWS)])
def test_every_mart_summary_and_view_has_a_description_beside_it(folder: str, names: tuple[str, ...]) -> None:
    described = {path.stem for path in (WAREHOUSE_PATH / folder).glob("*.yml")}
    assert described == set(names)


@pytest.mark.parametrize(
    "name", [*(f"marts/{name}" for name in MARTS), *(f"summaries/{name}" for name in SUMMARIES)]
)
def test_every_identity_is_held_by_a_check(name: str) -> None:
    described = yaml.safe_load((WAREHOUSE_PATH / f"{name}.yml").read_text(encoding="utf-8"))
    assert described["identities"]
    assert {identity["check"] for identity in described["identities"]} <= set(CHECKS)


@pytest.mark.parametrize("name", MARTS)
def test_a_mart_reads_nothing_but_the_events_of_the_days_and_their_users(name: str) -> None:
    text = load_sql(f"marts/{name}")
    assert set(re.findall(r"\bfrom (\w+)", text)) == {"events"}
    assert set(re.findall(r"(?<!array )\bjoin (\w+)", text)) <= {"users"}
    assert "where toDate(created_at) in {days:Array(Date)}" in text


@pytest.mark.parametrize("name", CHECKS)
def test_every_check_says_in_a_sentence_what_it_holds(name: str) -> None:
    assert describe(name).endswith(".")
