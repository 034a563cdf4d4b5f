"""A file appears whole or not at all, and only for its owner."""

import os
import threading
from pathlib import Path

import pytest

from clickstream.files import whole_file


def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    with whole_file(tmp_path / "a.csv") as file:
        file.write("text")

    assert (tmp_path / "a.csv").read_text() == "text"
    assert (tmp_path / "a.csv").stat().st_mode & 0o777 == 0o600


def test_a_failure_leaves_what_was_there_before(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("before")

    def fail_half_way() -> None:
        with whole_file(tmp_path / "a.csv") as file:
            file.write("half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_half_way()

    assert (tmp_path / "a.csv").read_text() == "before"
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]


def test_a_pipe_is_written_and_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()))
    reader.start()

    with whole_file(pipe) as file:
        file.write("text")
    reader.join()

    assert read == ["text"]
    assert pipe.is_fifo()
