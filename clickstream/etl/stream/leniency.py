"""Has kafka-python read all that the broker takes: a record on which it raises stops its partition for ever.

- The broker takes any bytes as the name of a header; the library insists on UTF-8. Repaired, other bytes
  read as question marks; such a name means nothing to us.
- zstd frames that don't tell their size, as clients in Java and C write them, are unpacked by the library up
  to 1 MiB, and refused beyond. Repaired, they are unpacked to their end.
"""

from typing import Any, Final

import zstandard
from kafka.record import default_records
from kafka.record.default_records import DefaultRecordBatch
from kafka.record.util import decode_varint

from clickstream.event.items import is_utf8

_read_strictly: Final[Any] = DefaultRecordBatch._read_msg


def read_leniently() -> None:
    """Applies the repairs; once or more often."""
    DefaultRecordBatch._read_msg = _read_record
    default_records.zstd_decode = _unpack_zstd


def _read_record(batch: Any) -> Any:
    """The next record of a batch."""
    try:
        return _read_strictly(batch)
    except UnicodeDecodeError:
        _mend_header_names(batch)
        return _read_strictly(batch)


def _mend_header_names(batch: Any) -> None:
    """Puts a question mark for each byte that makes a name of the next record unreadable.

    Record: https://kafka.apache.org/documentation/#record
    """
    buffer: bytearray = batch._buffer
    position: int = batch._pos
    for _length_attributes_time_offset in range(4):
        _, position = decode_varint(buffer, position)
    for _key_value in range(2):
        position = _end_of_bytes(buffer, position)
    headers, position = decode_varint(buffer, position)
    for _ in range(headers):
        size, start = decode_varint(buffer, position)
        end = start + size
        name = bytes(buffer[start:end])
        if not is_utf8(name):
            buffer[start:end] = bytes(byte if byte < 0x80 else ord("?") for byte in name)
        position = _end_of_bytes(buffer, end)


def _end_of_bytes(buffer: bytearray, position: int) -> int:
    size, start = decode_varint(buffer, position)
    return int(start) + max(int(size), 0)


def _unpack_zstd(packed: bytes) -> bytes:
    """All frames, each to its end."""
    with zstandard.ZstdDecompressor().stream_reader(packed, read_across_frames=True) as reader:
        return reader.read()
