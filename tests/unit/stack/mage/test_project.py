"""What becomes of pipelines that people changed when a new release brings its own."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from stack.mage.project import install_release

NOW = datetime(2025, 1, 31, 12, 30, tzinfo=UTC)
COPIES = "replaced/2025-01-31T123000Z"

Files = Mapping[str, str]


def write(folder: Path, files: Files) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def read(folder: Path) -> Files:
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != ".installed.json")
    return {path.relative_to(folder).as_posix(): path.read_text() for path in files}


def triggers(*states: tuple[str, str], description: str = "") -> str:
    listed = [{"name": name, "status": status, "description": description} for name, status in states]
    return str(yaml.safe_dump({"triggers": listed}))


class Project:
    """A project on which one release after the other is installed."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / "project"
        self.path.mkdir()
        self._releases = directory / "releases"
        self._number = 0

    def install(self, release: Files) -> str:
        self._number += 1
        folder = self._releases / str(self._number)
        folder.mkdir(parents=True)
        write(folder, release)
        return install_release(folder, self.path, NOW).describe()


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


@pytest.mark.parametrize(
    ("first", "changed", "second", "expected"),
    [
        pytest.param({"a": "1"}, {}, {"a": "2"}, {"a": "2"}, id="an unchanged file becomes the release's"),
        pytest.param({}, {}, {"p/a": "1"}, {"p/a": "1"}, id="a new file of the release comes"),
        pytest.param(
            {"a": "1", "b": "1"}, {}, {"b": "1"}, {"b": "1"}, id="a removed file of the release goes"
        ),
        pytest.param({"a": "1"}, {"a": "me"}, {"a": "1"}, {"a": "me"}, id="a changed file stays"),
        pytest.param({"a": "1"}, {"b": "me"}, {"a": "2"}, {"a": "2", "b": "me"}, id="an added file stays"),
        pytest.param(
            {"a": "1"},
            {"a": "me"},
            {"a": "2"},
            {"a": "2", f"{COPIES}/a": "me"},
            id="the release wins a conflict",
        ),
        pytest.param(
            {"a": "1", "b": "1"},
            {"a": "me"},
            {"b": "1"},
            {"b": "1", f"{COPIES}/a": "me"},
            id="a removed file that was changed is kept as a copy",
        ),
        pytest.param(
            {},
            {"a": "me"},
            {"a": "1"},
            {"a": "1", f"{COPIES}/a": "me"},
            id="a file that both added is in conflict",
        ),
        pytest.param(
            {"a": "1"}, {"a": "2"}, {"a": "2"}, {"a": "2"}, id="the same change twice is no conflict"
        ),
    ],
)
def test_a_release_meets_changed_files(
    project: Project, first: Files, changed: Files, second: Files, expected: Files
) -> None:
    project.install(first)
    write(project.path, changed)

    project.install(second)

    assert read(project.path) == expected


def test_a_deleted_file_stays_deleted_until_a_release_changes_it(project: Project) -> None:
    project.install({"a": "1", "b": "1"})
    (project.path / "a").unlink()

    project.install({"a": "1", "b": "2"})
    assert read(project.path) == {"b": "2"}
    project.install({"a": "2", "b": "2"})
    assert read(project.path) == {"a": "2", "b": "2"}


def test_the_folder_of_a_removed_pipeline_goes_with_it(project: Project) -> None:
    project.install({"pipelines/old/metadata.yaml": "1", "a": "1"})

    project.install({"a": "1"})

    assert not (project.path / "pipelines" / "old").exists()


def test_a_change_outlives_several_releases(project: Project) -> None:
    project.install({"a": "1", "b": "1"})
    write(project.path, {"a": "me"})

    for number in ("2", "3"):
        assert project.install({"a": "1", "b": number}) == "Kept as changed here: a\n"

    assert read(project.path) == {"a": "me", "b": "3"}


def test_it_says_where_the_replaced_version_is(project: Project) -> None:
    project.install({"a": "1"})
    write(project.path, {"a": "me"})

    said = project.install({"a": "2"})

    assert said == f"Replaced by this release; the version from here is in {COPIES}/a\n"


def test_a_second_time_nothing_is_said_or_done(project: Project) -> None:
    project.install({"a": "1"})
    written = (project.path / "a").stat().st_mtime_ns

    assert project.install({"a": "1"}) == ""
    assert (project.path / "a").stat().st_mtime_ns == written


def test_paused_and_added_triggers_outlive_a_release_that_changes_the_others(project: Project) -> None:
    name = "pipelines/p/triggers.yaml"
    project.install({name: triggers(("hourly", "active"), ("daily", "active"), ("gone", "active"))})
    write(project.path, {name: triggers(("hourly", "inactive"), ("daily", "active"), ("mine", "active"))})

    project.install({name: triggers(("hourly", "active"), ("daily", "active"), description="new")})

    found = yaml.safe_load(read(project.path)[name])["triggers"]
    assert {(one["name"], one["status"], one["description"]) for one in found} == {
        ("hourly", "inactive", "new"),
        ("daily", "active", "new"),
        ("mine", "active", ""),
    }


@pytest.mark.parametrize("broken", ["{", "triggers: 1", "triggers: [{name: a}]", "", "[]"])
def test_triggers_that_cannot_be_read_give_way_to_those_of_the_release(project: Project, broken: str) -> None:
    name = "pipelines/p/triggers.yaml"
    project.install({name: triggers(("hourly", "active"))})
    write(project.path, {name: broken})
    second = triggers(("hourly", "active"), description="new")

    project.install({name: second})

    assert read(project.path) == {name: second, f"{COPIES}/{name}": broken}


def test_an_interrupted_installation_is_finished_by_the_next(project: Project) -> None:
    project.install({"a": "1", "b": "1", "c": "1"})
    write(project.path, {"b": "me"})
    # As after a kill between the files: the first is the release's, the record is not.
    write(project.path, {"a": "2"})

    project.install({"a": "2", "b": "2", "c": "2"})

    assert read(project.path) == {"a": "2", "b": "2", "c": "2", f"{COPIES}/b": "me"}
