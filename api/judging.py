"""From the text of a body to what goes to the broker: which events are good, and why the others are not.

The rules are the contract's (`clickstream.decode`), the same as for every other source.
"""

import asyncio
import re
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum, unique
from typing import Final

import msgspec

from api.refusals import Refusal, RefusalBody, RefusalCode
from api.senders import Sender
from clickstream.contract import MAX_RECORD_BYTES
from clickstream.decode import (
    KNOWN_KEYS,
    MAX_SHOWN_CHARACTERS,
    KnownEvent,
    SentEvent,
    Values,
    read_event,
    read_values,
    record_error,
)
from clickstream.event.clocks import SENT_AT_KEY, clock_skew_ms
from clickstream.event.items import holds_json, split_array
from clickstream.event.recognise import recognise_text
from clickstream.event.rules import Receipt, find_problems, is_warning
from clickstream.event.syntax import explain_syntax
from clickstream.event.times import parse_timestamp
from clickstream.reasons import ErrorCode, EventError
from clickstream.settings import ApiSettings
from clickstream.steps import hash_content

MAX_TOLD_ERRORS: Final = 10_000
"""An answer names no more errors than these."""

UNUSABLE_ADDRESS: Final = "not an address"
"""Stands for an unusable address where addresses are cut short: it may hold a whole one."""

_MAX_UNKNOWN_FIELDS: Final = 20
"""An answer names no more unknown fields than these."""

_SHOWN_NAME_CHARACTERS: Final = 100

# So many events are judged before other requests have their turn.
_TURN_EVENTS: Final = 100
_LARGE_TEXT: Final = 262_144
_array_decoder: Final = msgspec.json.Decoder(list[msgspec.Raw])
_value_decoder: Final = msgspec.json.Decoder(msgspec.Raw)
_object_decoder: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_WHITE: Final = " \t\r\n"
_STRINGS_AND_BRACKETS: Final = re.compile(r'"(?:[^"\\]|\\.)*"|[][{}]', re.DOTALL)


@unique
class NoteCode(StrEnum):
    """What is odd about an event that is accepted as a whole."""

    UNKNOWN_FIELD = "unknown_field"


class EventProblem(msgspec.Struct, frozen=True):
    """One thing that is wrong with one event of a request.

    Attributes:
        index: The event's place in the array, from 0.
        code: The rule that was broken.
        field: The field, such as `payload.x`; empty for the event as a whole.
        message: What is allowed, in one sentence.
        value: What was received, cut to 200 characters.
    """

    index: int
    code: ErrorCode
    field: str
    message: str
    value: str


class EventNote(msgspec.Struct, frozen=True):
    """Something odd about an accepted event; read as an `EventProblem`.

    Attributes:
        index: The event's place in the array, from 0.
        code: What is odd.
        field: The field.
        message: What it means, and what to do.
        value: What was received, cut to 200 characters.
    """

    index: int
    code: NoteCode
    field: str
    message: str
    value: str


@dataclass(slots=True)
class Verdict:
    """What became of the events of one request.

    Attributes:
        accepted: JSON texts of the good events, with what the API adds to them.
        ids: Ids of the good events.
        rejected: JSON texts of the others, as sent.
        problems: What is wrong with those.
        warnings: Values of good events that can't be used, so that the events are stored without them.
        notes: Fields of good events that the contract does not know, each once.
    """

    accepted: list[str] = field(default_factory=list)
    ids: list[int] = field(default_factory=list)
    rejected: list[str] = field(default_factory=list)
    problems: list[EventProblem] = field(default_factory=list)
    warnings: list[EventProblem] = field(default_factory=list)
    notes: list[EventNote] = field(default_factory=list)


async def judge(
    text: str, sender: Sender, settings: ApiSettings, future_allowed_ms: int, sent_at: str | None = None
) -> Verdict:
    """Splits a body into its events and judges each.

    Args:
        text: The body.
        sender: Who sent it.
        settings: The limits.
        future_allowed_ms: How far `created_at` may lie after the receipt.
        sent_at: When it was sent, by the sender's clock; None if that is unknown.

    Raises:
        Refusal: The body is not JSON, nested too deep, or has too many events.
    """
    now_ms = time.time_ns() // 1_000_000
    # What is large is read in a thread, so that others have their turn.
    is_large = len(text) > _LARGE_TEXT
    items = await asyncio.to_thread(split_body, text, settings) if is_large else split_body(text, settings)
    receipt = Receipt(now_ms, future_allowed_ms, clock_skew_ms(sent_at, now_ms))
    judging = _Judging(sender, receipt, text, sent_at)
    for start in range(0, len(items), _TURN_EVENTS):
        if start:
            await asyncio.sleep(0)
        for index, item in enumerate(items[start : start + _TURN_EVENTS], start):
            judging.judge_event(index, item)
    return judging.verdict


def split_body(text: str, settings: ApiSettings) -> Sequence[str]:
    """The JSON texts of the events in a body: the items of an array, or the one value that it is.

    Raises:
        Refusal: It is not JSON, nested too deep, or has too many items.
    """
    is_array = text.lstrip(_WHITE).startswith("[")
    try:
        raws = _array_decoder.decode(text) if is_array else [_value_decoder.decode(text)]
        _check_count(len(raws), settings.max_events)
        items = [str(raw, "utf-8") for raw in raws]
    except (msgspec.DecodeError, UnicodeEncodeError) as error:
        sound = split_array(text.encode(errors="surrogateescape")) if is_array else None
        if not sound or not holds_json(sound):
            raise _not_json(text, str(error)) from None
        items = [item.decode(errors="surrogateescape") for item in sound]
    except RecursionError:
        raise _too_deep(settings.max_depth) from None
    _check_count(len(items), settings.max_events)
    levels = settings.max_depth - is_array
    for item in items:
        # Counting is quick, and only a text with that many brackets can be that deep.
        if item.count("{") + item.count("[") > levels and _depth(item) > levels:
            raise _too_deep(settings.max_depth)
    return items


def _check_count(count: int, limit: int) -> None:
    if count > limit:
        raise Refusal(
            RefusalBody(
                RefusalCode.TOO_MANY_EVENTS,
                f"The body has {count} events, and {limit} are allowed. Send them in several requests.",
                limit=limit,
            )
        )


class _Judging:
    """The judging of one request's events."""

    def __init__(self, sender: Sender, receipt: Receipt, text: str, sent_at: str | None) -> None:
        self.verdict = Verdict()
        self._unknown: set[str] = set()
        self._sender = sender
        self._receipt = receipt
        self._sent_at_member = f',"{SENT_AT_KEY}":{msgspec.json.encode(sent_at).decode()}' if sent_at else ""
        # One look at the whole text saves one at each event.
        self._named = tuple(
            name for name in ('"id"', '"ip"', '"user_agent"', f'"{SENT_AT_KEY}"') if name in text
        )

    def judge_event(self, index: int, text: str) -> None:
        """Judges one event, and adds what is to become of it to the verdict."""
        verdict = self.verdict
        sent = read_event(text)
        if isinstance(sent, SentEvent):
            values = read_values(sent)
            problems = find_problems(values, self._receipt_of(sent))
            warnings = list(filter(is_warning, problems)) if problems else []
            if len(warnings) == len(problems):
                event_id = _id_of(values)
                enriched = self._enrich(text, values, event_id, warnings)
                if 4 * len(enriched) <= MAX_RECORD_BYTES or len(enriched.encode()) <= MAX_RECORD_BYTES:
                    verdict.accepted.append(enriched)
                    verdict.ids.append(event_id)
                    if warnings:
                        verdict.warnings += _told(index, warnings)
                    if type(sent) is not KnownEvent and len(self._unknown) < _MAX_UNKNOWN_FIELDS:
                        self._note_unknown_fields(index, text)
                    return
                message = f"With what is added to it, the event is longer than {MAX_RECORD_BYTES} bytes."
                problems = [record_error(ErrorCode.TOO_LARGE, message, text)]
            errors = [problem for problem in problems if not is_warning(problem)]
            if self._sent_at_member and not text[:-1].rstrip(_WHITE).endswith("{"):
                text = f"{text[:-1]}{self._sent_at_member}}}"
        else:
            errors = [sent]
        verdict.rejected.append(text)
        verdict.problems += _told(index, errors)

    def _receipt_of(self, sent: SentEvent) -> Receipt:
        """The receipt by which an event is judged; the ETL reads the event's own `_sent_at`, too."""
        receipt = self._receipt
        if sent.sent_at is None or self._sent_at_member:
            return receipt
        skew_ms = clock_skew_ms(sent.sent_at, receipt.received_at_ms)
        return Receipt(receipt.received_at_ms, receipt.future_allowed_ms, skew_ms)

    def _note_unknown_fields(self, index: int, text: str) -> None:
        """Notes fields that the contract does not know, each at the first event that has it."""
        for name, value in _object_decoder.decode(text).items():
            if name in KNOWN_KEYS or name in self._unknown or len(self._unknown) == _MAX_UNKNOWN_FIELDS:
                continue
            self._unknown.add(name)
            shown = name[:_SHOWN_NAME_CHARACTERS]
            message = (
                f"{shown!r} is not a field of an event and is not in the numbers. Put fields of your own "
                "into payload."
            )
            received = str(value, "utf-8")[:MAX_SHOWN_CHARACTERS]
            self.verdict.notes.append(EventNote(index, NoteCode.UNKNOWN_FIELD, shown, message, received))

    def _enrich(self, text: str, values: Values, event_id: int, warnings: Sequence[EventError]) -> str:
        """The event with its id, and with the sender's address and user agent where it has none of its own.

        All else stays as it was sent.
        """
        sender = self._sender
        added = self._sent_at_member
        if values.id is None:
            added += f',"id":{event_id}'
        if values.ip is None:
            added += sender.address_member
        elif sender.truncate is not None:
            is_usable = all(warning.field != "ip" for warning in warnings)
            added += f',"ip":"{sender.truncate(values.ip) if is_usable else UNUSABLE_ADDRESS}"'
        if values.user_agent is None:
            added += sender.user_agent_member
        if not added:
            return text
        enriched = f"{text[:-1]}{added}}}"
        for name in self._named:
            # The key may be there already, as null, empty or to be cut short.
            if name in added and name in text:
                return _without_repeats(enriched)
        return enriched


def ids_by_index(verdict: Verdict) -> list[str | None]:
    """For each event of a request, in its order, the id as text; None where it was rejected."""
    rejected = {problem.index for problem in verdict.problems}
    ids = iter(verdict.ids)
    events = len(verdict.accepted) + len(verdict.rejected)
    return [None if index in rejected else str(next(ids)) for index in range(events)]


def _told(index: int, problems: Iterable[EventError]) -> list[EventProblem]:
    return [
        EventProblem(index, problem.code, problem.field, problem.message, problem.value)
        for problem in problems
    ]


def _id_of(values: Values) -> int:
    """The event's id: its own, or the one that the ETL would give."""
    if values.id is None:
        return hash_content(values, parse_timestamp(values.created_at))
    return int(values.id)


def _without_repeats(text: str) -> str:
    """The object with each key once; of several values the last one counts."""
    return msgspec.json.encode(_object_decoder.decode(text)).decode()


def _depth(text: str) -> int:
    """How deep objects and arrays are nested in a valid JSON text."""
    depth = deepest = 0
    for match in _STRINGS_AND_BRACKETS.finditer(text):
        mark = match[0]
        if mark in "{[":
            depth += 1
            deepest = max(deepest, depth)
        elif mark in "}]":
            depth -= 1
    return deepest


def _too_deep(limit: int) -> Refusal:
    return Refusal(
        RefusalBody(
            RefusalCode.TOO_DEEP,
            f"Objects and arrays are nested deeper than {limit} levels. Nothing was taken.",
            limit=limit,
        )
    )


def _not_json(text: str, decoder_message: str) -> Refusal:
    problems = explain_syntax(text, decoder_message)
    first = problems[0]
    message = recognise_text(text) or " ".join(problem.message for problem in problems)
    return Refusal(
        RefusalBody(
            RefusalCode.INVALID_JSON,
            f"The body is not valid JSON. {message}",
            line=first.line,
            column=first.column,
            expected=first.expected,
            found=first.found,
            problems=problems,
        )
    )
