"""The marks of runs: held while a process works on them, told and removed afterwards."""

import os
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from clickstream.etl import run_marks

DAY = 86_400


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    settings = SimpleNamespace(stack=SimpleNamespace(data_path=tmp_path))
    monkeypatch.setattr(run_marks, "get_settings", lambda: settings)
    return tmp_path / "etl" / "runs"


def test_a_run_is_worked_on_while_its_mark_is_held(folder: Path) -> None:
    assert not run_marks.is_worked_on("a")

    assert not run_marks.hold_mark("a")
    assert run_marks.is_worked_on("a")

    run_marks.drop_mark("a")
    assert not run_marks.is_worked_on("a")
    assert list(folder.iterdir()) == []


def test_a_mark_that_a_dead_process_left_tells_that_the_run_is_resumed(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "a").touch()

    assert not run_marks.is_worked_on("a")
    assert run_marks.hold_mark("a")
    run_marks.drop_mark("a")


def test_old_marks_are_removed_unless_they_are_held(folder: Path) -> None:
    run_marks.hold_mark("held")
    for name, age in (("held", 2 * DAY), ("old", 2 * DAY), ("young", 60)):
        (folder / name).touch()
        os.utime(folder / name, (time.time() - age,) * 2)

    run_marks.remove_old_marks()

    assert {path.name for path in folder.iterdir()} == {"held", "young"}
    run_marks.drop_mark("held")
