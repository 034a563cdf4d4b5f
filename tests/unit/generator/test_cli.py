from pathlib import Path

import pytest
from typer.testing import CliRunner

from generator.cli import app

runner = CliRunner()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(["--events", "0"], "--events is 0, but a file needs at least 1", id="no events"),
        pytest.param(["--days", "0"], "--days is 0, but must lie in 1…", id="no days"),
        pytest.param(["--faults", "1.5"], "--faults is 1.5, but must be a share", id="share above 1"),
        pytest.param(
            ["--duplicates", "-0.1"], "--duplicates is -0.1, but must be a share", id="negative share"
        ),
        pytest.param(["--faults", "nan"], "--faults is nan, but must be a share", id="not a number"),
        pytest.param(["--faults", "0.6", "--duplicates", "0.5"], "leave no valid event", id="nothing left"),
        pytest.param(["--until", "2999-01-01"], "that day is not over yet", id="future"),
        pytest.param(["--until", "1970-01-05"], "begin before 1970-01-01", id="before 1970"),
        pytest.param(["--until", "June"], "does not match", id="no date"),
        pytest.param(["--out", "shop.csv.zip"], "compression that isn't known", id="unknown compression"),
        pytest.param(["--out", "a.csv", "--users", "a.csv"], "need three files", id="same file twice"),
    ],
)
def test_bad_arguments_are_refused_by_name(arguments: list[str], said: str) -> None:
    result = runner.invoke(app, ["csv", *arguments])

    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stdout == ""


def test_a_path_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    out = blocked / "shop.csv"
    result = runner.invoke(app, ["csv", "--events", "10", "--out", str(out)])

    assert result.exit_code == 1
    assert f"Can't write {out}" in result.stderr
    assert "--out" in result.stderr


def test_a_directory_is_not_overwritten(tmp_path: Path) -> None:
    result = runner.invoke(app, ["csv", "--events", "10", "--out", str(tmp_path)])

    assert result.exit_code == 1
    assert list(tmp_path.iterdir()) == []


def test_writes_three_files_and_says_where(tmp_path: Path) -> None:
    out = tmp_path / "new" / "shop.csv.gz"
    result = runner.invoke(app, ["csv", "--events", "100", "--days", "1", "--out", str(out)])

    assert result.exit_code == 0
    assert {path.name for path in out.parent.iterdir()} == {"shop.csv.gz", "shop.key.json", "shop.users.csv"}
    assert all(str(path) in result.stdout for path in out.parent.iterdir())
    assert result.stderr == ""
