import json
from pathlib import Path
from typing import Any

import pytest

from clickstream.errors import BadInputError
from clickstream.reasons import ErrorCode
from generator.answer_key import FORMAT
from generator.live.options import Source
from generator.live.recall import Recall
from generator.live.visits import Happening, Visits
from generator.live.wire import Packed, Parcel, Tally
from generator.merge import merge_keys
from generator.profiles import Population
from generator.sessions import SessionMaker
from tests.unit.generator.conftest import Dataset

KEY_OF = (
    f'{{{{"format": "{FORMAT}", "views": {{{{}}}}, "ledger": {{{{"rows": []}}}}, '
    '"quarantined": {{"by_code": {{}}}}, "parameters": {}}}'
)
SEED = 5
PEOPLE = Population(SEED, 40)


def read(path: Path) -> dict[str, Any]:
    key: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return key


def make_happenings(run: str, start_ms: int, events: int = 600) -> list[Happening]:
    visits = Visits(SessionMaker(SEED, PEOPLE, run), 0.01, SEED)
    happenings = [visits.take() for _ in range(events)]
    for happening in happenings:
        happening.event.created_ms += start_ms
    return happenings


def remember(recall: Recall, source: Source, happenings: list[Happening], number: int, **more: Any) -> Parcel:
    parcel = Parcel(number, source, b"", Tally(valid=len(happenings), **more))
    recall.remember(Packed(parcel, happenings))
    return parcel


def write_live_key(path: Path, source: Source, happenings: list[Happening], **more: Any) -> Path:
    recall = Recall()
    recall.acknowledge(remember(recall, source, happenings, 1, **more))
    recall.write_key(path, {"run": "a run"}, [source])
    return path


def test_what_was_not_acknowledged_is_not_in_the_key(tmp_path: Path) -> None:
    happenings = make_happenings("one", 0)
    recall = Recall()
    arrived = remember(recall, Source.HTTP, happenings[:400], 1)
    remember(recall, Source.HTTP, happenings[400:], 2)
    recall.acknowledge(arrived)
    recall.write_key(tmp_path / "key.json", {}, [Source.HTTP])

    expected = write_live_key(tmp_path / "expected.json", Source.HTTP, happenings[:400])
    key = read(tmp_path / "key.json")
    assert key["views"] == read(expected)["views"]
    assert key["ledger"]["rows"] == [["http", 400, 400, 0, 0]]


def test_a_merge_of_one_csv_key_is_that_key(dataset: Dataset, tmp_path: Path) -> None:
    out = tmp_path / "merged.json"
    merge_keys([dataset.files.key], out)

    original, merged = read(dataset.files.key), read(out)
    for part in ("views", "ledger", "quarantined"):
        assert merged[part] == original[part]


def test_a_merge_counts_the_union_and_not_the_sum(tmp_path: Path) -> None:
    """Two runs of the same people on the same days: users of both count once, medians are those of all."""
    one, other = make_happenings("one", 0), make_happenings("other", 3_600_000)
    parts = [
        write_live_key(tmp_path / "one.json", Source.HTTP, one, duplicate=3),
        write_live_key(
            tmp_path / "other.json", Source.BROKER, other, faulty=2, by_code={"invalid_ip": 2, "too_long": 1}
        ),
    ]
    together = Recall()
    together.acknowledge(remember(together, Source.HTTP, one + other, 1))
    together.write_key(tmp_path / "together.json", {}, [Source.HTTP])

    merge_keys(parts, tmp_path / "merged.json")

    merged = read(tmp_path / "merged.json")
    assert merged["views"] == read(tmp_path / "together.json")["views"]
    assert merged["ledger"]["rows"] == [["http", 603, 600, 3, 0], ["broker", 602, 600, 0, 2]]
    codes = {code: rows for code, rows in merged["quarantined"]["by_code"].items() if rows}
    assert codes == {ErrorCode.INVALID_IP: 2, ErrorCode.TOO_LONG: 1}
    days = [row[1] for row in merged["views"]["daily_active_users"]["rows"]]
    apart = [row[1] for part in parts for row in read(part)["views"]["daily_active_users"]["rows"]]
    assert sum(days) < sum(apart)


def test_a_csv_key_and_a_live_key_of_later_days_share_their_windows(dataset: Dataset, tmp_path: Path) -> None:
    end_ms = dataset.plan.end_ms
    live = write_live_key(tmp_path / "live.json", Source.HTTP, make_happenings("one", end_ms))
    merge_keys([dataset.files.key, live], tmp_path / "merged.json")

    active = read(tmp_path / "merged.json")["views"]["daily_active_users"]["rows"]
    of_csv = dataset.key["views"]["daily_active_users"]["rows"]
    assert active[: len(of_csv)] == of_csv
    first_live = active[len(of_csv)]
    assert first_live[0] == "2024-03-05"
    assert first_live[3] >= of_csv[-1][3]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("{}", "is not an answer key", id="no key"),
        pytest.param(
            KEY_OF.format("{}"),
            "does not say how it was made",
            id="nothing to make it from",
        ),
        pytest.param(
            KEY_OF.format("{}").replace(FORMAT, "clickstream answer key, version 1"),
            "another version of the generator",
            id="of other events",
        ),
        pytest.param(
            KEY_OF.format('{"parts": []}'),
            "is a merged key already",
            id="merged",
        ),
    ],
)
def test_what_cannot_be_merged_is_refused(text: str, said: str, dataset: Dataset, tmp_path: Path) -> None:
    part = tmp_path / "part.json"
    part.write_text(text)

    with pytest.raises(BadInputError, match=said):
        merge_keys([dataset.files.key, part], tmp_path / "out.json")


def test_a_csv_key_of_another_version_is_refused(dataset: Dataset, tmp_path: Path) -> None:
    key = read(dataset.files.key)
    key["ledger"]["rows"][0][2] += 1
    part = tmp_path / "part.json"
    part.write_text(json.dumps(key))

    with pytest.raises(BadInputError, match="this version of the generator makes"):
        merge_keys([part], tmp_path / "out.json")
