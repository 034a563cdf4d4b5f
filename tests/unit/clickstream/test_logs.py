"""Log lines: what they hold, and what they must not."""

import json
import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from clickstream.logs import REQUEST_ID, JsonFormatter, capture_output, for_people, request_id_of


def record(message: str, *arguments: object, error: bool = False) -> logging.LogRecord:
    info = sys.exc_info() if error else None
    return logging.LogRecord("api.broker", logging.WARNING, __file__, 1, message, arguments, info)


def formatted(made: logging.LogRecord) -> dict[str, Any]:
    line: dict[str, Any] = json.loads(JsonFormatter("api").format(made))
    return line


def test_a_line_says_when_who_and_what() -> None:
    line = formatted(record("The broker at %s is away", "127.0.0.1:9092"))

    assert line.pop("time").endswith("Z")
    assert line == {
        "level": "warning",
        "service": "api",
        "logger": "api.broker",
        "message": "The broker at 127.0.0.1:9092 is away",
    }


def test_a_line_names_the_request_that_is_being_answered() -> None:
    token = REQUEST_ID.set("f00dfeedf00dfeed")
    try:
        assert formatted(record("slow"))["request_id"] == "f00dfeedf00dfeed"
    finally:
        REQUEST_ID.reset(token)


def test_an_error_is_named_with_its_places_and_without_its_text() -> None:
    try:
        raise ValueError("jane@example.org is not a number")
    except ValueError:
        made = record("A request failed", error=True)

    text = JsonFormatter("api").format(made)

    assert "jane@example.org" not in text
    assert json.loads(text)["error"] == "ValueError"
    assert json.loads(text)["places"][-1].startswith("test_logs.py:")


def test_a_line_is_bounded_and_stays_one_line() -> None:
    text = JsonFormatter("api").format(record("x\n" * 100_000))

    assert len(text) < 5_000
    assert "\n" not in text


@pytest.mark.parametrize(
    "given", ["", "short", "a" * 65, "with space", 'quote"quote', "new\nline-in-it"], ids=repr
)
def test_an_id_that_is_no_plain_word_is_replaced(given: str) -> None:
    assert request_id_of(given) != given
    assert len(request_id_of(given)) == 16


def test_an_id_that_a_client_gives_is_kept() -> None:
    assert request_id_of("checkout-2025.06_01") == "checkout-2025.06_01"


def test_people_read_a_line_as_a_sentence() -> None:
    line = JsonFormatter("api").format(record("Connected."))

    assert for_people(line).endswith(" WARNING api.broker: Connected.")


@pytest.mark.parametrize("line", ["plain text", '{"a": 1}', "[1]", "null", '{"time": 5}'])
def test_a_line_of_another_program_stays_as_it_is(line: str) -> None:
    assert for_people(line) == line


def test_what_a_program_of_others_prints_becomes_lines_of_the_log(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdout", sys.stdout)
    monkeypatch.setattr(sys, "stderr", sys.stderr)
    ours = JsonFormatter("mage").format(record("ours"))

    capture_output("mage")
    print("first", "line", flush=True)  # noqa: T201 -- this is what is tested
    sys.stdout.write("second ")
    sys.stdout.write("line\n\nnot ended yet")
    sys.stderr.write(f"WARNING:alembic.runtime:an older one\n{ours}\n")
    sys.stderr.write('ERROR:load_csv/7/finish:{"message": "It failed.", "error": "OSError", "cpu": 1}\n')

    output, errors = capfd.readouterr()
    lines = [json.loads(line) for line in (output + errors).splitlines()]
    assert [(line["logger"], line["level"], line["message"]) for line in lines] == [
        ("output", "info", "first line"),
        ("output", "info", "second line"),
        ("alembic.runtime", "warning", "an older one"),
        ("api.broker", "warning", "ours"),
        ("load_csv/7/finish", "error", "It failed. OSError"),
    ]
    assert {line["service"] for line in lines} == {"mage"}


WORK_OF_MAGE = """
import logging, sys
from contextlib import redirect_stderr
from io import TextIOBase
from pathlib import Path
from clickstream.logs import capture_output

class Redirected(TextIOBase):
    def write(self, text):
        logging.getLogger("block").info(text)
        return len(text)

capture_output("mage")
logging.basicConfig(level=logging.INFO, stream=sys.__stdout__)
with redirect_stderr(Redirected()):
    print("printed", flush=True)
    logging.getLogger("block").info("logged")
Path(sys.argv[1]).write_text("finished")
"""


def test_work_goes_on_after_the_reader_of_its_log_has_died(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    finished = tmp_path / "finished"
    try:
        command = [sys.executable, "-c", WORK_OF_MAGE, str(finished)]
        subprocess.run(command, stdout=writer, stderr=writer, check=False, timeout=60)
    finally:
        os.close(writer)

    assert finished.exists()
