"""What people send that is not an event at all: what it is called, and the remedy, through every door."""

import base64
import bz2
import gzip
import json
import lzma
import zlib
from typing import Final

import zstandard

from tests.unit.clickstream.judges import VALID_EVENT, broken

EVENT: Final = broken().encode()

MISTAKES: Final[dict[str, tuple[bytes, str, str]]] = {
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
    "packed_marks": (gzip.compress(b"\xef\xbb\xbf" + EVENT), "gzip", "Content-Encoding"),
    "deflate": (zlib.compress(EVENT), "deflate", "gzip or zstd"),
    "bzip2": (bz2.compress(EVENT), "bzip2", "gzip or zstd"),
    "xz": (lzma.compress(EVENT), "xz", "gzip or zstd"),
    "lz4": (b"\x04\x22\x4d\x18\x64\x40\xa7", "LZ4", "gzip or zstd"),
    "snappy": (b"\xff\x06\x00\x00sNaPpY\x00", "Snappy", "gzip or zstd"),
    "utf_32": (broken().encode("utf-32"), "UTF-32", "UTF-8"),
    "avro_file": (b"Obj\x01\x04\x16avro.schema", "binary", "send JSON"),
    "message_pack": (b"\x82\xa4type\xa5click\xa3url\xa1/", "binary", "send JSON"),
    "cbor": (b"\xa2dtypeeclickcurla/", "binary", "send JSON"),
    "one_after_the_other": (EVENT + EVENT, "several JSON values", "one JSON array"),
    "arrays_one_after_the_other": (
        b"[" + EVENT + b"][" + EVENT + b"]",
        "several JSON values",
        "one JSON array",
    ),
    "lines_with_commas": (EVENT + b",\n" + EVENT, "several JSON values", "one JSON array"),
    "json_sequence": (b"\x1e" + EVENT + b"\n\x1e" + EVENT + b"\n", "NDJSON", "JSON array"),
    "csv": (b"type,created_at,session_id,user_id,url,payload\nview,t,s,1,/,{}\n", "CSV", "clickstream load"),
    "csv_of_semicolons": (
        b"type;created_at;session_id;user_id;url\nview;t;s;1;/\n",
        "CSV",
        "clickstream load",
    ),
    "base_64": (base64.b64encode(b"[" + EVENT + b"]"), "Base64", "the JSON itself"),
    "base_64_of_gzip": (base64.b64encode(gzip.compress(EVENT)), "Base64", "the JSON itself"),
    "base_64_as_text": (json.dumps(base64.b64encode(EVENT).decode()).encode(), "Base64", "the JSON itself"),
    "percent_encoded": (b"%5B%7B%22type%22%3A%22view%22%7D%5D", "percent-encoded", "the JSON itself"),
    "multipart": (
        b'--b\r\nContent-Disposition: form-data; name="data"\r\n\r\n' + EVENT,
        "multipart",
        "the whole body",
    ),
    "typographic_quotes": ("{“type”: “view”}".encode(), "typographic", "straight double quotes"),
    "python_bytes": (str(EVENT).encode(), "Python object", "json.dumps"),
    "javascript_object": (b"[object Object]", "JavaScript object", "JSON.stringify"),
    "encoded_three_times": (
        json.dumps(json.dumps(broken())).encode(),
        "encoded twice",
        "send the JSON itself",
    ),
    "envelope_of_one": (b'{"event": ' + EVENT + b"}", "envelope", "the inner object itself"),
    "envelope_in_envelope": (b'{"data": {"events": [' + EVENT + b"]}}", "data.events", "the array itself"),
    "change_capture": (b'{"before": null, "after": ' + EVENT + b', "op": "c"}', "after", "the inner object"),
    "change_capture_with_schema": (
        b'{"schema": {}, "payload": {"before": null, "after": ' + EVENT + b"}}",
        "payload.after",
        "the inner object",
    ),
    "push_message": (
        json.dumps({"message": {"data": base64.b64encode(EVENT).decode()}}).encode(),
        "message.data",
        "not as text",
    ),
    "koi8_r": ('{"title": "корзина товаров"}'.encode("koi8-r"), "KOI8-R", "UTF-8"),
}
"""Values, what they seem to be, and part of the remedy."""
