"""Reading the ends of log files."""

from itertools import islice
from pathlib import Path

import pytest

from stack.log_files import follow, last_lines


@pytest.mark.parametrize(
    ("text", "expected"),
    [("", []), ("a\n", ["a"]), ("a\nb\nc\n", ["b", "c"]), ("a\nb\nc", ["b", "c"])],
    ids=["empty", "fewer", "more", "last-line-unfinished"],
)
def test_last_lines_are_the_last_ones(tmp_path: Path, text: str, expected: list[str]) -> None:
    path = tmp_path / "service.log"
    path.write_text(text)

    assert last_lines(path, 2) == expected


def test_a_file_that_is_not_there_has_no_lines(tmp_path: Path) -> None:
    assert last_lines(tmp_path / "missing.log", 5) == []


def test_bytes_that_are_not_text_do_not_hide_the_log(tmp_path: Path) -> None:
    path = tmp_path / "service.log"
    path.write_bytes(b"good\n\xff\xfe\n")

    assert last_lines(path, 2) == ["good", "��"]


def test_following_gives_new_lines_of_all_files_also_after_rotation(tmp_path: Path) -> None:
    first, second = tmp_path / "first.log", tmp_path / "second.log"
    first.write_text("old\n")
    lines = follow({"first": first, "second": second})

    def add_and_read(path: Path, text: str, count: int) -> list[tuple[str, str]]:
        with path.open("a") as file:
            file.write(text)
        return list(islice(lines, count))

    second_lines = add_and_read(second, "appeared\n", 1)
    first.rename(tmp_path / "first.log.1")
    rotated_lines = add_and_read(first, "after rotation\n", 1)

    assert second_lines == [("second", "appeared")]
    assert rotated_lines == [("first", "after rotation")]
