"""Nothing from an event steers the terminal."""

import io
import json
import sys
import unicodedata

import pytest

from clickstream.cli import output
from clickstream.cli.printable import printable, printable_json

STEERING = [
    pytest.param("\x1b]0;title\x07", r"\x1b]0;title\x07", id="escape-sequence"),
    pytest.param("\x9b2J", r"\x9b2J", id="c1"),
    pytest.param("a\rb", r"a\x0db", id="carriage-return"),
    pytest.param("\x7f\x00\x08", r"\x7f\x00\x08", id="c0-and-delete"),
    pytest.param("a\u202eb\u2069", r"a\u202eb\u2069", id="bidirectional"),
    pytest.param("a\u2028b", r"a\u2028b", id="line-separator"),
    pytest.param("\ud800", r"\ud800", id="surrogate"),
]


@pytest.mark.parametrize(("text", "expected"), STEERING)
def test_what_would_steer_a_terminal_is_shown_as_its_escape(text: str, expected: str) -> None:
    assert printable(text) == expected


def test_what_people_write_stays() -> None:
    assert printable("Grüße, 東京\tשלום\nمرحبا 👋") == "Grüße, 東京\tשלום\nمرحبا 👋"


def test_no_control_character_is_left_but_tab_and_line_feed() -> None:
    everything = "".join(map(chr, range(0x110000)))

    left = {char for char in printable(everything) if unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp")}
    bidirectional = {
        char for char in printable(everything) if unicodedata.bidirectional(char) in BIDIRECTIONAL
    }

    assert left == {"\t", "\n"}
    assert bidirectional == set()


BIDIRECTIONAL = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


def test_json_stays_the_same_json() -> None:
    value = {"a\u202e": "\x1b[2J\x9b\x7f\u2028"}
    text = printable_json(json.dumps(value, ensure_ascii=False))

    assert json.loads(text) == value
    assert printable(text) == text


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What is written to standard output."""
    file = io.StringIO()
    monkeypatch.setattr(output.out, "file", file)
    monkeypatch.setattr(sys, "stdout", file)
    return file


def test_every_way_to_print_is_safe(shown: io.StringIO) -> None:
    evil = "\x1b]0;x\x07\u202e"

    output.out.print(evil, markup=False)
    output.print_table(evil, (evil,), [(evil,)])
    output.print_json({evil: evil})
    output.print_result({"message": evil}, as_json=False)

    assert [char for char in shown.getvalue() if char in evil[:1] + "\x07\u202e"] == []
    assert shown.getvalue().count(r"\x1b]0;x") >= 4
