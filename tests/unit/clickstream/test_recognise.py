"""What is sent by mistake is named, and what to do about it, whichever way it comes."""

import gzip
import json

import pytest
import zstandard

from clickstream.decode import explain_defect, read_record
from clickstream.event.recognise import recognise_encoding, recognise_text
from clickstream.reasons import EventError
from clickstream.sources.broker import split_value
from tests.unit.clickstream.judges import VALID_EVENT, broken, decoder_errors

EVENT = broken().encode()

MISTAKES: dict[str, tuple[bytes, str, str]] = {
    "gzip": (gzip.compress(EVENT), "gzip", "Content-Encoding"),
    "zstd": (zstandard.ZstdCompressor().compress(EVENT), "zstd", "Content-Encoding"),
    "zip": (b"PK\x03\x04\x14\x00\x00\x00\x08\x00", "ZIP archive", "unpack"),
    "utf_16": (broken().encode("utf-16"), "UTF-16", "UTF-8"),
    "utf_16_without_mark": (broken().encode("utf-16-le"), "UTF-16", "UTF-8"),
    "schema_registry": (b"\0\0\0\0\7" + EVENT, "five bytes of a schema registry", "plain JSON"),
    "schema_registry_large_id": (b"\0\0\0\1\xc8" + EVENT, "five bytes of a schema registry", "plain JSON"),
    "avro": (b"\0\0\0\0\7\2\nclick", "binary", "send JSON"),
    "ndjson": (EVENT + b"\n" + EVENT + b"\n", "NDJSON", "JSON array"),
    "python_repr": (str(dict(VALID_EVENT)).encode(), "Python object", "json.dumps"),
    "html": (b"<html><body>Bad gateway</body></html>", "HTML", "send JSON"),
    "form": (b"type=click&user_id=42", "form", "send JSON"),
    "encoded_twice": (json.dumps(broken()).encode(), "encoded twice", "send the JSON itself"),
    "envelope": (b'{"batch": [' + EVENT + b"]}", "envelope", "the array itself"),
    "connect_envelope": (b'{"schema": {}, "payload": ' + EVENT + b"}", "envelope", "the inner object itself"),
    "windows_1251": ('{"title": "корзина"}'.encode("cp1251"), "windows-1251", "UTF-8"),
    "windows_1252": ('{"title": "café crème"}'.encode("cp1252"), "windows-1252", "UTF-8"),
    "nothing": (b"", "empty", ""),
}


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


@pytest.mark.parametrize("text", ["{", '{"a": NaN}', "hello", "[1, 2", '{"a": "b=c"'])
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
