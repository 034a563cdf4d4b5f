"""What is said of a file before it is loaded."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from control_panel.parts.upload_files import problems_in_words
from control_panel.preview import look_at

HEADER = "type,created_at,session_id,user_id,url,device_type,payload"
PAYLOAD = '"{""event_title"": ""home"", ""element_id"": ""#a""}"'
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def line(kind: str = "view", user_id: str = "1", device_type: str = "") -> str:
    return f"{kind},2025-06-01T10:00:00Z,s-1,{user_id},/,{device_type},{PAYLOAD}"


@pytest.mark.parametrize("end", ["\n", ""], ids=["closed", "without-a-last-line-end"])
def test_the_header_is_not_a_line_and_codes_that_only_warn_are_apart(tmp_path: Path, end: str) -> None:
    path = tmp_path / "mine.csv"
    lines = [line(), line("purchase", "x", "watch"), line(user_id="y"), line(device_type="watch")]
    path.write_text("\n".join([HEADER, *lines]) + end)

    found = look_at(path, NOW)

    assert (found.lines, found.refused, found.warned) == (4, 2, 1)
    assert problems_in_words(found) == (
        "Of its lines, 2 would be refused (invalid_number 2, unknown_event_type 1; some break several rules) "
        "and 1 would be stored without a value (unknown_device_type 1)."
    )


def test_the_lines_of_a_file_that_is_not_judged_to_its_end_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "long.csv"
    path.write_text("\n".join([HEADER, *[line()] * 10_001]) + "\n")

    found = look_at(path, NOW)

    assert (found.lines, found.judged) == (10_001, 10_000)
    assert problems_in_words(found) == "No problems in the first 10,000 lines."
