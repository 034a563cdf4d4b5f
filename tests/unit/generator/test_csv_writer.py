import gzip
import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pandas as pd
import pytest
import zstandard

from generator.csv_lines import SessionLines, format_line, make_cells
from generator.csv_writer import write_dataset
from generator.faults import HUGE_FROM_EVENTS
from generator.plan import DatasetFiles, Plan
from generator.profiles import Population
from generator.quirks import write_payload
from generator.sessions import SessionMaker
from tests.unit.generator.conftest import Dataset, make_dataset
from tests.unit.generator.recount import read_time

ROOT = Path(__file__).parents[3]


def _run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "generator.cli", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )


def _read_all(files: DatasetFiles) -> tuple[bytes, bytes, bytes]:
    return files.events.read_bytes(), files.users.read_bytes(), files.key.read_bytes()


def test_a_seed_gives_the_same_bytes_whatever_the_process(tmp_path: Path) -> None:
    contents = []
    for name, environment in {
        "a": {"PYTHONHASHSEED": "1", "TZ": "Pacific/Kiritimati", "LC_ALL": "C"},
        "b": {"PYTHONHASHSEED": "2", "TZ": "America/Los_Angeles", "LC_ALL": "C.UTF-8", "PYTHONUTF8": "1"},
    }.items():
        out = tmp_path / name / "shop.csv"
        _run("csv", "--events", "4000", "--days", "3", "--seed", "-5", "--out", str(out), **environment)
        contents.append(_read_all(DatasetFiles.beside(out)))

    assert contents[0] == contents[1]


def test_seeds_of_opposite_sign_differ(tmp_path: Path) -> None:
    first = make_dataset(Plan(events=300, days=2, seed=1), tmp_path / "plus")
    second = make_dataset(Plan(events=300, days=2, seed=-1), tmp_path / "minus")

    assert not set(first.recount.events["id"]) & set(second.recount.events["id"])


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_a_compressed_file_holds_the_same_bytes(tmp_path: Path, suffix: str) -> None:
    plan = Plan(events=2_000, days=2, seed=2)
    plain = DatasetFiles.beside(tmp_path / "plain.csv")
    packed = DatasetFiles.beside(tmp_path / f"packed.csv{suffix}")
    write_dataset(plan, plain, lambda _: None)
    write_dataset(plan, packed, lambda _: None)

    content = packed.events.read_bytes()
    if suffix == ".gz":
        unpacked = gzip.decompress(content)
    else:
        unpacked = zstandard.ZstdDecompressor().decompressobj().decompress(content)
    assert unpacked == plain.events.read_bytes()
    assert packed.key == tmp_path / "packed.key.json"
    assert packed.key.read_bytes() == plain.key.read_bytes()


@pytest.mark.parametrize(
    ("events", "days", "faults", "duplicates"),
    [
        pytest.param(1, 1, 0, 0, id="one event"),
        pytest.param(2, 30, 0, 0, id="two events in a month"),
        pytest.param(99, 1, 0.5, 0.3, id="mostly broken and repeated"),
        pytest.param(100, 2, 0.0, 0.9, id="nearly all repeated"),
        pytest.param(3_000, 1, 0.01, 0.02, id="one busy day"),
    ],
)
def test_the_file_has_exactly_the_records_asked_for(
    tmp_path: Path, events: int, days: int, faults: float, duplicates: float
) -> None:
    reported: list[int] = []
    plan = Plan(events=events, days=days, seed=4, faults=faults, duplicates=duplicates)
    write_dataset(plan, DatasetFiles.beside(tmp_path / "counted.csv"), reported.append)
    made = make_dataset(plan, tmp_path)

    assert len(made.recount.records) == events == sum(reported)
    assert sum(map(bool, made.recount.codes)) == plan.faulty_records
    assert made.recount.duplicates == plan.duplicate_records


def test_events_lie_in_the_days_asked_for(dataset: Dataset) -> None:
    days = dataset.recount.events["date"]

    assert days.nunique() == dataset.plan.days
    assert (days.min(), days.max()) == ("2024-02-25", "2024-03-04")


def test_the_last_day_may_end_early_in_proportion(tmp_path: Path) -> None:
    minutes = 9 * 60 + 41
    plan = Plan(events=20_000, days=8, seed=7, until=date(2024, 3, 4), last_minutes=minutes)
    made = make_dataset(plan, tmp_path)

    by_day = made.recount.events.groupby("date").size()
    # A Monday until a quarter to ten has about a fifth of the events of the Monday before.
    assert 0.1 < by_day["2024-03-04"] / by_day["2024-02-26"] < 0.3
    end_ms = datetime(2024, 3, 4, 9, 41, tzinfo=UTC).timestamp() * 1_000
    # A visit begins every three minutes or so.
    assert end_ms - 900_000 < made.recount.events["created_ms"].max() < end_ms
    assert made.recount.stored == plan.valid_events
    assert Plan.from_parameters(plan.parameters()) == plan


def test_every_session_and_midnight_is_plausible(dataset: Dataset) -> None:
    events = dataset.recount.events
    sessions = events.groupby("session_id").agg(events=("id", "size"), days=("date", "nunique"))

    assert 8 <= sessions["events"].mean() <= 16
    assert (sessions["days"] == 2).sum() >= dataset.plan.days - 3


def test_clicks_only_on_seen_elements(dataset: Dataset) -> None:
    events = dataset.recount.events
    key = ["session_id", "element_id"]
    first_seen = events[events["is_view"]].groupby(key)["created_ms"].min()
    clicks = events[events["is_click"]].set_index(key)["created_ms"]
    seen = first_seen.reindex(clicks.index)

    assert seen.notna().all()
    # Times without fractions are cut, so up to a second may be missing.
    assert (seen.to_numpy() - 1_000 < clicks.to_numpy()).all()


def test_conversion_is_that_of_a_shop(dataset: Dataset) -> None:
    counts = dataset.recount.events.groupby("element_id")[["is_view", "is_click"]].sum().drop("html")
    common = counts[counts["is_view"] > 200]
    percent = 100 * common["is_click"] / common["is_view"]

    assert len(common) > 10
    assert percent.between(0.5, 42).all(), percent


def test_evenings_and_weekends_are_busier(dataset: Dataset) -> None:
    moments = pd.to_datetime(dataset.recount.events["created_ms"], unit="ms")
    by_hour = moments.dt.hour.value_counts()
    by_date = moments.dt.date.value_counts()
    evening, night = (by_hour[by_hour.index.isin(hours)] for hours in ((18, 19, 20), (2, 3, 4)))
    is_weekend = pd.Series([day.weekday() >= 5 for day in by_date.index], index=by_date.index)

    assert evening.min() > 3 * night.max()
    assert by_date[is_weekend].mean() > by_date[~is_weekend].mean()


def test_people_come_back(dataset: Dataset) -> None:
    visits = dataset.recount.events.groupby("user_id")["session_id"].nunique()

    assert visits.mean() > 1.5
    assert (visits == 1).any()


def test_users_are_written_with_name_and_country(dataset: Dataset) -> None:
    users = pd.read_csv(dataset.files.users, dtype=str, keep_default_na=False)

    assert list(users.columns) == ["id", "fio", "country"]
    assert users["id"].is_unique
    assert set(dataset.recount.events["user_id"]) <= set(users["id"])
    assert users["fio"].str.contains(" ").all()
    assert users["country"].str.fullmatch("[A-Z]{2}").all()
    assert {str(2**64 - 1), "0"} <= set(users["id"])


def test_people_are_the_same_in_a_larger_population() -> None:
    assert Population(5, 300).people[:100] == Population(5, 100).people


def test_some_events_come_late_and_some_duplicates_much_later(dataset: Dataset) -> None:
    recount = dataset.recount
    lines = [line for line, codes in zip(recount.records, recount.codes, strict=True) if not codes]
    times = pd.Series([read_time(line[2]) for line in lines])
    late = times.cummax() - times
    places = pd.Series([line[0] for line in lines]).reset_index().groupby(0)["index"].agg(["min", "max"])
    gaps = (places["max"] - places["min"])[places["max"] > places["min"]]

    assert (late > 86_400_000).any(), "later than a day"
    assert 0.005 < (late > 60_000).mean() < 0.1
    assert (gaps == 1).any(), "right behind"
    assert (gaps > 1_000).any(), "much later"


def test_a_duplicate_is_the_same_to_the_last_character(dataset: Dataset) -> None:
    by_id: dict[str, list[str]] = {}
    for record, codes in zip(dataset.recount.records, dataset.recount.codes, strict=True):
        if not codes:
            assert by_id.setdefault(record[0], record) == record


def test_only_large_files_hold_a_record_over_1_mib(dataset: Dataset, tmp_path: Path) -> None:
    small = make_dataset(Plan(events=HUGE_FROM_EVENTS - 1, days=2, seed=6, faults=0.02), tmp_path)

    assert sum("too_large" in codes for codes in dataset.recount.codes) == 1
    assert not any("too_large" in codes for codes in small.recount.codes)


def test_the_fast_format_equals_the_plain_one() -> None:
    plan = Plan(events=1)
    maker = SessionMaker(plan.seed, Population(plan.seed, 50))
    lines = SessionLines()
    for number in range(200):
        session = maker.make_session(plan.start_ms + number * 977_123)
        plain = []
        for event in session.events:
            payload = write_payload(event)
            plain.append(format_line(make_cells(event, session) | {"payload": _compact(payload)}))

        assert lines.format_events(session) == plain


def _compact(payload: object) -> str:
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":"))


def test_memory_does_not_grow_with_the_events(tmp_path: Path) -> None:
    program = (
        "import resource, sys; from pathlib import Path; from generator.plan import *; "
        "from generator.csv_writer import write_dataset; "
        "plan = Plan(events=int(sys.argv[1]), days=20); files = DatasetFiles.beside(Path(sys.argv[2])); "
        "write_dataset(plan, files, print); "
        "print('peak', resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    peaks_kib = []
    for events in (20_000, 200_000):
        out = str(tmp_path / f"{events}.csv")
        result = subprocess.run(
            [sys.executable, "-c", program, str(events), out],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        peaks_kib.append(int(result.stdout.split()[-1]))
    grown_by = (peaks_kib[1] - peaks_kib[0]) * 1_024
    file_grew_by = (tmp_path / "200000.csv").stat().st_size - (tmp_path / "20000.csv").stat().st_size

    assert grown_by < file_grew_by / 3
    assert grown_by < 25_000_000


def test_speed_is_reported(tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    result = _run("csv", "--events", "20000", "--days", "5", "--out", str(tmp_path / "shop.csv"))

    assert "20,000 records in " in result.stdout
    record_property("speed", result.stdout.splitlines()[0])


def test_the_committed_sample_comes_out_of_its_command(tmp_path: Path) -> None:
    readme = (ROOT / "data/README.md").read_text("utf-8")
    command = next(line for line in readme.splitlines() if line.startswith("generator csv"))
    arguments = [
        str(tmp_path / Path(word).name) if word.startswith("data/") else word for word in command.split()[1:]
    ]
    _run(*arguments)

    for path in sorted(tmp_path.iterdir()):
        assert path.read_bytes() == (ROOT / "data" / path.name).read_bytes(), path.name
    assert len(list(tmp_path.iterdir())) == 3


def test_the_default_last_day_is_over() -> None:
    assert Plan().until < datetime.now(UTC).date()
