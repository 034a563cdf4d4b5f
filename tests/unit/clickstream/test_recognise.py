"""What is sent by mistake is named, and what to do about it, whichever way it comes."""

import pytest

from clickstream.decode import explain_defect, read_record
from clickstream.event.recognise import recognise_encoding, recognise_text
from clickstream.reasons import EventError
from clickstream.sources.broker import split_value
from tests.cases.mistakes import MISTAKES
from tests.unit.clickstream.judges import broken, decoder_errors


@pytest.mark.parametrize(("value", "name", "remedy"), MISTAKES.values(), ids=MISTAKES)
def test_a_record_of_the_broker_is_named_with_its_remedy(value: bytes, name: str, remedy: str) -> None:
    (item,) = split_value(value)
    body = item.text.decode()
    if item.defect is not None:
        message = explain_defect(item.defect, body)
    else:
        error = read_record(body)
        assert isinstance(error, EventError)
        message = error.message

    assert name in message
    assert remedy in message


@pytest.mark.parametrize(
    "text",
    [
        "{",
        '{"a": NaN}',
        "hello",
        "[1, 2",
        '{"a": "b=c"',
        "\x1c",
        "AAAAAAAAAAAAAAAAAAAA",
        "%5",
        '[{"a": 1}, NaN]',
    ],
)
def test_nothing_is_claimed_of_text_that_is_merely_broken(text: str) -> None:
    assert recognise_text(text) == ""


@pytest.mark.parametrize("text", ["a\\x80\\x81b", "\\x8f", "plain"])
def test_no_encoding_is_claimed_of_any_bytes(text: str) -> None:
    assert recognise_encoding(text) == ""


def test_a_record_that_is_not_json_tells_the_place() -> None:
    error = read_record('{"type": "view",\n "user_id": 5,}')

    assert isinstance(error, EventError)
    assert "Line 2, column 14" in error.message


@pytest.mark.parametrize(
    ("payload", "part"),
    [('{"x": NaN}', "found “NaN”"), ("{'x': 1}", "json.dumps"), ('{"x": 1', "found the end")],
)
def test_a_payload_that_is_not_json_tells_why(payload: str, part: str) -> None:
    (error,) = decoder_errors(broken(payload=payload))

    assert part in error.message
