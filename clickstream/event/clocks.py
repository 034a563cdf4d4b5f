"""Clocks that are wrong: a batch says when it was sent, and its events are moved by what the clock is off."""

import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec

from clickstream.event.times import TIMESTAMP_PATTERN, parse_timestamp

SENT_AT_KEY: Final = "_sent_at"
"""Member of an event's JSON object that says when its batch was sent; the API adds it."""

TOLERATED_SKEW_MS: Final = 5_000
"""A batch is on its way for some time, so a smaller difference says nothing about the clock."""

_is_time: Final = re.compile(TIMESTAMP_PATTERN).search
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_decode_members: Final = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode: Final = msgspec.json.Decoder().decode
_encode: Final = msgspec.json.Encoder().encode


def is_time(text: str) -> bool:
    """Whether a text is a time in one of the spellings that are read."""
    return _is_time(text) is not None


def clock_skew_ms(sent_at: Any, received_at_ms: int) -> int:
    """By how much the times of a batch have to be moved; 0 where its clock is right or nothing is known.

    Args:
        sent_at: When the batch was sent, by the clock of its sender.
        received_at_ms: When it was received, milliseconds since 1970.
    """
    if type(sent_at) is not str or not is_time(sent_at):
        return 0
    skew_ms = received_at_ms - parse_timestamp(sent_at)
    return skew_ms if abs(skew_ms) > TOLERATED_SKEW_MS else 0


def settle_clock(body: str, received_at_ms: int) -> str:
    """An event whose `created_at` is moved for good, so that it may be received once more at another time."""
    if SENT_AT_KEY not in body:
        return body
    try:
        members = _decode_members(body)
        sent_at = _decode(members.pop(SENT_AT_KEY))
        created_at = _decode(members.get("created_at", b"null"))
    except (msgspec.DecodeError, KeyError, RecursionError):
        return body
    skew_ms = clock_skew_ms(sent_at, received_at_ms)
    if skew_ms and type(created_at) is str and is_time(created_at):
        # A moved time outside the years 1 to 9999 was refused, and it is refused unmoved, too.
        with suppress(OverflowError):
            moment = _EPOCH + timedelta(milliseconds=parse_timestamp(created_at) + skew_ms)
            text = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
            members["created_at"] = msgspec.Raw(_encode(text))
    return _encode(members).decode()
