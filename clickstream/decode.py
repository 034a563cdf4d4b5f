"""From the text of a record to the values of an event, or to the reasons why it is not an event.

The order is always the same: `read_record` (is it JSON, is it an object), `read_values` (the fields in their
usual spelling), in `event/rules.py` `find_problems` (the rules of the contract, one by one) and
`without_unusable` (what is stored nevertheless), and in `steps.py` what is derived from them.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, NamedTuple

import msgspec

from clickstream.contract import (
    FIELD_BY_NAME,
    MAX_PAYLOAD_BYTES,
    MAX_PAYLOAD_DEPTH,
    MAX_RECORD_BYTES,
    DeviceType,
    EventType,
)
from clickstream.event.clocks import SENT_AT_KEY
from clickstream.event.recognise import recognise_encoding, recognise_text, recognise_value
from clickstream.event.syntax import explain_syntax
from clickstream.reasons import DESCRIPTIONS, ErrorCode, EventError

TYPE_NAMES: Final[dict[type, str]] = {
    str: "string",
    int: "number",
    float: "number",
    bool: "boolean",
    dict: "object",
    list: "array",
}
"""JSON's names of the Python types that a JSON decoder makes."""


class SentEvent(msgspec.Struct):
    """The top-level fields of an event as JSON values, unchecked; None where absent or null."""

    id: Any = None
    type: Any = None
    created_at: Any = None
    session_id: Any = None
    ip: Any = None
    user_id: Any = None
    url: Any = None
    referrer: Any = None
    device_type: Any = None
    user_agent: Any = None
    payload: Any = None
    sent_at: Any = msgspec.field(default=None, name=SENT_AT_KEY)


class KnownEvent(SentEvent, forbid_unknown_fields=True):
    """An event all of whose top-level fields the contract knows; `received_at` is known and not used."""

    received_at: Any = None


class PayloadForm:
    """What a sent payload turned out to be; only an `OBJECT` can be read further."""

    OBJECT: Final = "object"
    TOO_DEEP: Final = "nested too deep"
    TOO_LARGE: Final = "too large"
    NOT_JSON: Final = "not JSON"


class Values(NamedTuple):
    """The values of one event in the order of `contract.FIELDS`; None where absent, null or empty.

    A value is in the usual spelling of its field, or as it was sent where it cannot be read. `payload` is the
    object itself if it is one, also where its JSON text was sent, and `payload_form` says what it is: a
    constant of `PayloadForm`, the name of another JSON type, or None where it is absent.
    """

    id: Any
    type: Any
    created_at: Any
    session_id: Any
    ip: Any
    user_id: Any
    url: Any
    referrer: Any
    device_type: Any
    user_agent: Any
    payload: Any
    event_title: Any
    element_id: Any
    x: Any
    y: Any
    payload_form: str | None


KNOWN_KEYS: Final = frozenset(field.encode_name for field in msgspec.structs.fields(KnownEvent))
"""Keys of an event's JSON object that are not fields of somebody's own."""

_decode_event: Final = msgspec.json.Decoder(SentEvent).decode
_decode_known: Final = msgspec.json.Decoder(KnownEvent).decode
_UNKNOWN_FIELD: Final = "Object contains unknown field"
_decode: Final = msgspec.json.Decoder().decode
_encode: Final = msgspec.json.Encoder().encode
_NOT_AN_OBJECT: Final = "An event must be a JSON object."
_as_values: Final = tuple.__new__
MAX_SHOWN_CHARACTERS: Final = 200
"""How much of a value a message shows."""

_NOTHING: Final[dict[str, Any]] = {}
_EVENT_TYPES: Final = (None, *map(str, EventType))
_DEVICE_TYPES: Final = (None, *map(str, DeviceType))


def read_record(  # noqa: PLR0911 -- a return for each defect
    body: str, decode: Callable[[str], SentEvent] = _decode_event
) -> SentEvent | EventError:
    """Decodes the JSON text of one event.

    Args:
        body: The text.
        decode: Reads it; where that is `_decode_known` and finds other fields, it is read again.

    Returns:
        The fields as sent, or the one error of a record that isn't an event (`INVALID_JSON`, `NOT_AN_OBJECT`,
        `TOO_LARGE`, or `INVALID_ENCODING` where it holds bytes as `surrogateescape` decodes them).
    """
    try:
        if len(body) * 4 > MAX_RECORD_BYTES and len(body.encode()) > MAX_RECORD_BYTES:
            return record_error(
                ErrorCode.TOO_LARGE, f"The record is longer than {MAX_RECORD_BYTES} bytes.", body
            )
        sent = decode(body)
    except msgspec.ValidationError as error:
        if str(error).startswith(_UNKNOWN_FIELD):
            return read_record(body)
        if str(error).startswith("Expected `object`"):
            return record_error(ErrorCode.NOT_AN_OBJECT, explain_defect(ErrorCode.NOT_AN_OBJECT, body), body)
        return record_error(ErrorCode.INVALID_JSON, f"The record can't be read: {error}.", body)
    except msgspec.DecodeError as error:
        message = explain_defect(ErrorCode.INVALID_JSON, body, str(error))
        return record_error(ErrorCode.INVALID_JSON, message, body)
    except RecursionError:
        return record_error(ErrorCode.INVALID_JSON, "The record is nested too deep to be read.", body)
    except UnicodeEncodeError:
        text = body.encode(errors="surrogateescape").decode(errors="backslashreplace")
        return record_error(
            ErrorCode.INVALID_ENCODING, explain_defect(ErrorCode.INVALID_ENCODING, text), text
        )
    if sent.type is None and sent.session_id is None and sent.user_id is None:
        words = explain_defect(ErrorCode.NOT_AN_OBJECT, body)
        if words != _NOT_AN_OBJECT:
            return record_error(ErrorCode.NOT_AN_OBJECT, words, body)
    return sent


def read_event(body: str) -> SentEvent | EventError:
    """As `read_record`; gives a `KnownEvent` where the event has no field that the contract does not know.

    Costs nothing more unless the event has such a field.
    """
    return read_record(body, _decode_known)


def explain_defect(code: ErrorCode, body: str, decoder_message: str = "") -> str:
    r"""What is wrong with a record from which no event can be read, and what to do about it.

    Args:
        code: One of `reasons.RECORD_CODES`.
        body: The record, bytes that are not UTF-8 as `\xNN`.
        decoder_message: What msgspec said of it, if it was asked.
    """
    what = DESCRIPTIONS[code][0].replace("`", "")
    match code:
        case ErrorCode.NOT_AN_OBJECT:
            with suppress(msgspec.DecodeError, RecursionError):
                return recognise_value(_decode(body)) or _NOT_AN_OBJECT
            return _NOT_AN_OBJECT
        case ErrorCode.INVALID_ENCODING:
            words = recognise_text(body) or recognise_encoding(body)
            return f"{what} {words or ''} {DESCRIPTIONS[code][1]}".replace("  ", " ")
        case ErrorCode.INVALID_JSON:
            if words := recognise_text(body):
                return f"The record is not JSON. {words}"
            places = explain_syntax(body, decoder_message or "it cannot be read")
            return f"The record is not valid JSON. {' '.join(place.message for place in places)}"
        case _:
            return f"{what} {DESCRIPTIONS[code][1]}"


def record_error(code: ErrorCode, message: str, body: str) -> EventError:
    """The one error of a record from which no event can be read."""
    return EventError(code=code, field="", message=message, value=body[:MAX_SHOWN_CHARACTERS])


def _reader(name: str) -> Callable[[Any], Any]:
    """What gives the usual spelling of a field's value."""
    spelling = FIELD_BY_NAME[name].spelling
    assert spelling is not None, f"{name} has only one spelling"  # noqa: S101
    return spelling.read


_read_type: Final = _reader("type")
_read_device_type: Final = _reader("device_type")
_read_id: Final = _reader("id")
_read_user_id: Final = _reader("user_id")
_read_ip: Final = _reader("ip")
_read_x: Final = _reader("payload.x")
_read_y: Final = _reader("payload.y")


def read_values(sent: SentEvent) -> Values:
    """Lays out the fields of an event in the order of the contract, the payload's own fields among them.

    This runs for every event: a value that has its usual spelling already is not read again.
    """
    form, payload = _read_payload(sent.payload)
    inside = (payload if form == PayloadForm.OBJECT else _NOTHING).get
    event_id, event_type, user_id, ip, device_type = (
        sent.id,
        sent.type,
        sent.user_id,
        sent.ip,
        sent.device_type,
    )
    x, y = inside("x"), inside("y")
    values = (
        event_id if event_id is None or type(event_id) is int else _read_id(event_id),
        event_type if event_type in _EVENT_TYPES else _read_type(event_type),
        sent.created_at,
        sent.session_id,
        ip if ip is None else _read_ip(ip),
        user_id if type(user_id) is int else _read_user_id(user_id),
        sent.url,
        sent.referrer,
        device_type if device_type in _DEVICE_TYPES else _read_device_type(device_type),
        sent.user_agent,
        payload,
        inside("event_title"),
        inside("element_id"),
        x if x is None or (type(x) is int and x >= 0) else _read_x(x),
        y if y is None or (type(y) is int and y >= 0) else _read_y(y),
        form,
    )
    if "" in values:
        return _as_values(Values, [None if value == "" else value for value in values])
    return _as_values(Values, values)


def _read_payload(sent: Any) -> tuple[str | None, Any]:
    """Reads a payload sent as an object or as the JSON text of one.

    Returns:
        Its form, and the object; or, where it isn't one, what was sent.
    """
    if sent is None or sent == "":
        return None, None
    try:
        text = sent if type(sent) is str else _encode(sent).decode()
        payload = _decode(text) if text is sent else sent
    except (msgspec.DecodeError, RecursionError):
        return PayloadForm.NOT_JSON, sent
    if payload is None:
        return None, None
    if type(payload) is dict:
        form = _form_of_object(payload, text)
        return form, payload if form == PayloadForm.OBJECT else sent
    return TYPE_NAMES[type(payload)], sent


def _form_of_object(payload: dict[str, Any], text: str) -> str:
    if len(text) * 4 > MAX_PAYLOAD_BYTES and len(text.encode()) > MAX_PAYLOAD_BYTES:
        return PayloadForm.TOO_LARGE
    brackets = text.count("{") + text.count("[")
    if brackets > MAX_PAYLOAD_DEPTH and _is_deeper_than(payload, MAX_PAYLOAD_DEPTH):
        return PayloadForm.TOO_DEEP
    return PayloadForm.OBJECT


def _is_deeper_than(value: Any, levels: int) -> bool:
    """Whether objects and arrays are nested in more than `levels` levels; looks no further than that."""
    if not isinstance(value, dict | list):
        return False
    children = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_is_deeper_than(child, levels - 1) for child in children)


def text_of(value: Any) -> str:
    """A JSON value as text: strings as they are, anything else as JSON."""
    if type(value) is str:
        return value
    try:
        return msgspec.json.encode(value).decode()
    except RecursionError:
        return "(nested too deep to be shown)"  # It could just be decoded, further up the stack.
