"""Where a stack keeps things, and which directories it refuses."""

import os
from pathlib import Path

import pytest

from clickstream.settings import PROJECT_ROOT
from stack.paths import MAX_SOCKET_PATH_BYTES, DataDirectoryError, StackPaths


def test_all_directories_are_open_to_their_owner_alone(tmp_path: Path) -> None:
    paths = StackPaths(tmp_path / "data")

    paths.create()

    assert {path.stat().st_mode & 0o777 for path in (paths.data, paths.run, paths.logs)} == {0o700}


@pytest.mark.parametrize("length", [10, 200], ids=["short", "long"])
def test_socket_path_fits_however_long_the_data_path_is(tmp_path: Path, length: int) -> None:
    paths = StackPaths(tmp_path / ("d" * length))

    paths.create()

    assert len(os.fsencode(paths.socket)) <= MAX_SOCKET_PATH_BYTES
    assert paths.socket.parent.stat().st_mode & 0o777 == 0o700
    if paths.short_directory.exists():
        paths.short_directory.rmdir()


def test_stacks_with_long_paths_have_sockets_of_their_own(tmp_path: Path) -> None:
    first, second = (StackPaths(tmp_path / ("d" * 200) / name) for name in ("first", "second"))

    assert first.socket != second.socket


def test_a_directory_with_other_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").touch()

    with pytest.raises(DataDirectoryError, match="holds files that no stack made"):
        StackPaths(tmp_path).create()


def test_a_directory_of_an_earlier_start_is_taken(tmp_path: Path) -> None:
    paths = StackPaths(tmp_path)
    paths.create()
    paths.log_of("clickhouse").touch()

    paths.create()

    assert paths.mark.exists()


@pytest.mark.parametrize("directory", [Path("/"), Path.home(), PROJECT_ROOT, PROJECT_ROOT.parent])
def test_directories_that_hold_more_than_a_stack_are_refused(directory: Path) -> None:
    with pytest.raises(DataDirectoryError, match="holds more than a stack"):
        StackPaths(directory).create()


def test_a_directory_that_cannot_be_made_is_said_with_the_setting(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(DataDirectoryError, match="can't be written: Not a directory") as caught:
        StackPaths(tmp_path / "file" / "data").create()
    assert "CLICKSTREAM_STACK__DATA_DIR" in caught.value.hint
