"""Files that are not CSV of ours: what they seem to be, told from their first bytes or their header."""

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Final

from clickstream.contract import CSV_COLUMNS, FIELDS

_SAVE_AS: Final = "Save it as “CSV UTF-8”."
_UNPACK: Final = "Unpack it, or pack it with gzip or zstd."
_MAGIC: Final[tuple[tuple[bytes, str, str], ...]] = (
    (b"PK\x03\x04", "a ZIP archive", "Unpack it, and load the CSV file inside."),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel workbook", _SAVE_AS),
    (b"\xfd7zXZ\x00", "packed with xz", _UNPACK),
    (b"BZh", "packed with bzip2", _UNPACK),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", _UNPACK),
    (b"Rar!\x1a\x07", "a RAR archive", _UNPACK),
    (b"\x04\x22\x4d\x18", "packed with LZ4", _UNPACK),
    (b"\x89PNG", "an image (PNG)", "Choose the CSV file."),
    (b"\xff\xd8\xff", "an image (JPEG)", "Choose the CSV file."),
    (b"GIF8", "an image (GIF)", "Choose the CSV file."),
    (b"%PDF", "a PDF document", "Export the data as CSV in UTF-8."),
    (b"PAR1", "a Parquet file", "Write it as CSV, in Python pandas.read_parquet(…).to_csv(…, index=False)."),
    (b"ORC", "an ORC file", "Write it as CSV."),
    (b"Obj\x01", "an Avro file", "Write it as CSV."),
    (b"SQLite format 3\x00", "an SQLite database", "Export the table as CSV."),
    (b"\x7fELF", "a program", "Choose the CSV file."),
    (b"ARROW1", "an Arrow file", "Write it as CSV."),
    (b"FEA1", "a Feather file", "Write it as CSV."),
    (b"{\\rtf", "a document in RTF", _SAVE_AS),
    (b"RIFF", "an image, a sound or a film", "Choose the CSV file."),
    (b"\x1f\x8b", "packed twice", "Unpack it once, and load what comes out."),
    (b"\x28\xb5\x2f\xfd", "packed twice", "Unpack it once, and load what comes out."),
    (b"LZIP", "packed with lzip", _UNPACK),
    (b"x\x9c", "packed with zlib", _UNPACK),
    (b"x\xda", "packed with zlib", _UNPACK),
    (b"\xff\xfe\x00\x00", "text in UTF-32", _SAVE_AS),
    (b"\x00\x00\xfe\xff", "text in UTF-32", _SAVE_AS),
    (b"\xff\xfe", "text in UTF-16", _SAVE_AS),
    (b"\xfe\xff", "text in UTF-16", _SAVE_AS),
)
_NDJSON_REMEDY: Final = "Send JSON to POST /events, as an array, or write it as CSV."
_SAMPLE_BYTES: Final = 400
_LATER_MAGIC: Final = (
    (4, b"ftyp", "an image or a film", "Choose the CSV file."),
    (257, b"ustar", "a tar archive", "Unpack it, and load the CSV file inside."),
)
"""What files are by bytes that do not stand at their beginning."""
_SYNONYMS: Final = {
    "type": ("eventtype", "event", "action", "kind", "eventname"),
    "created_at": ("eventtime", "timestamp", "time", "ts", "datetime", "eventtimestamp", "date", "createdon"),
    "session_id": ("session", "usersession", "visitid", "sid", "sessionuuid"),
    "user_id": ("user", "uid", "visitorid", "customerid", "clientid", "userid"),
    "url": ("page", "pageurl", "location", "pagelocation", "href", "path", "pagepath"),
    "referrer": ("referer", "pagereferrer", "ref"),
    "device_type": ("device", "devicecategory", "platform"),
    "user_agent": ("useragent", "ua", "browser", "agent"),
    "ip": ("ipaddress", "clientip", "remoteaddr"),
    "payload": ("properties", "data", "params", "eventdata", "props", "attributes"),
    "id": ("eventid", "uuid", "messageid"),
}
_INSIDE_PAYLOAD: Final = {field.key.replace("_", ""): field.key for field in FIELDS if field.is_in_payload}


def recognise_file(start: bytes) -> tuple[str, str]:
    """What a file is that cannot be CSV in UTF-8, and the remedy; empty texts for any other.

    Args:
        start: Its first bytes, unpacked.
    """
    for magic, what, remedy in _MAGIC:
        if start.startswith(magic):
            return _recognise_archive(start) if what == "a ZIP archive" else (what, remedy)
    for place, magic, what, remedy in _LATER_MAGIC:
        if start[place:].startswith(magic):
            return what, remedy
    return _recognise_text(start[:_SAMPLE_BYTES])


def _recognise_text(sample: bytes) -> tuple[str, str]:
    """What a text is that is not CSV in UTF-8, by its first bytes; empty texts for any other."""
    first_line = sample.partition(b"\n")[0]
    if b"\x00" in first_line:
        halves = [sample[place::2].count(0) / max(len(sample[place::2]), 1) for place in (0, 1)]
        return ("text in UTF-16", _SAVE_AS) if max(halves) > 0.4 else ("binary", "Choose the CSV file.")
    text = sample.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text.startswith((b"{", b"[")):
        return "JSON", _NDJSON_REMEDY
    if text.startswith((b"<!", b"<html", b"<?xml")):
        return "a page of HTML or XML", "Download the file itself."
    return "", ""


def _recognise_archive(start: bytes) -> tuple[str, str]:
    """What a ZIP archive holds, by the names of its first files."""
    if b"word/" in start:
        return "a Word document", _SAVE_AS
    if b".iwa" in start or b"opendocument.spreadsheet" in start:
        return "a spreadsheet", "Export it as CSV in UTF-8."
    if b"xl/" in start or b"[Content_Types]" in start:
        return "an Excel workbook", _SAVE_AS
    return "a ZIP archive", "Unpack it, and load the CSV file inside."


def guess_columns(header: Iterable[str], wanted: Sequence[str]) -> str:
    """Which columns of a header seem to be which of ours; empty if none is near.

    Args:
        header: Its columns as they are written.
        wanted: Our columns that it has not.
    """
    found = {}
    inside = []
    for column in header:
        plain = re.sub(r"[^a-z0-9]", "", column.lower())
        if plain.removeprefix("payload") in _INSIDE_PAYLOAD and column.lower() not in CSV_COLUMNS:
            inside.append(column)
            continue
        name = _nearest(plain, [name for name in wanted if name not in found])
        if name and column.lower() != name:
            found[name] = column
    guesses = [f"{column} seems to be {name}" for name, column in found.items()]
    if inside and "payload" in wanted:
        guesses.append(f"{', '.join(inside)} belong into payload, as JSON text")
    return "; ".join(guesses)


def _nearest(plain: str, wanted: Sequence[str]) -> str:
    names = {name.replace("_", ""): name for name in wanted}
    if plain in names:
        return names[plain]
    for name in wanted:
        if plain in _SYNONYMS.get(name, ()):
            return name
    close = get_close_matches(plain, names, n=1, cutoff=0.8)
    return names[close[0]] if close else ""
