"""The event contract: each field of an event declared once.

The decoder (`decode.py`), the Great Expectations suites in `expectations/`, the CSV header and the reference
page `expectations/REFERENCE.md` are derived from `FIELDS`; tests hold them equal.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from clickstream.event import spellings
from clickstream.event.spellings import Spelling, choice_spelling
from clickstream.event.times import TIMESTAMP_PATTERN
from clickstream.reasons import ErrorCode


class Kind(StrEnum):
    """How the value of a field is read."""

    TEXT = "text"
    CHOICE = "choice"
    TIMESTAMP = "timestamp"
    UINT = "unsigned integer"
    POSITION = "position"
    IP = "ip address"
    PAYLOAD = "object"


class EventType(StrEnum):
    """What a person did with an element of a page."""

    VIEW = "view"
    CLICK = "click"


class Severity(StrEnum):
    """What an unusable value costs: the event, or only the value."""

    ERROR = "error"
    WARNING = "warning"


class DeviceType(StrEnum):
    """What a person used."""

    DESKTOP = "desktop"
    MOBILE = "mobile"
    TABLET = "tablet"


MAX_RECORD_BYTES: Final = 1 << 20
"""Longest record (a CSV line, a broker record's event) that is decoded; a longer one is `too_large`."""

MAX_PAYLOAD_BYTES: Final = 64 << 10
"""Longest payload as JSON text."""

MAX_PAYLOAD_DEPTH: Final = 16
"""Deepest nesting of objects and arrays in a payload; the payload itself is level 1."""

PAYLOAD_PREFIX: Final = "payload."


def uint_pattern(bits: int) -> str:
    """Regular expression of the decimal numbers from 0 to 2^bits - 1, leading zeros allowed.

    A number of as many digits as the bound is within it if, at the first digit that differs, it is smaller:
    one alternative a digit of the bound.
    """
    bound = str(2**bits - 1)
    smaller = [
        f"{bound[:place]}[0-{int(digit) - 1}][0-9]{{{len(bound) - place - 1}}}"
        for place, digit in enumerate(bound)
        if digit != "0"
    ]
    return rf"\A0*(?:[0-9]{{1,{len(bound) - 1}}}|{'|'.join(smaller)}|{bound})\Z"


def _ip_pattern() -> str:
    """IPv4 in dotted decimal, or IPv6 by the grammar `IPv6address` of RFC 3986, section 3.2.2."""
    octet = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
    ipv4 = rf"{octet}(?:\.{octet}){{3}}"
    group = "[0-9A-Fa-f]{1,4}"
    last_32_bits = f"(?:{group}:{group}|{ipv4})"

    def up_to(groups: int) -> str:
        return f"(?:(?:{group}:){{0,{groups - 1}}}{group})?"

    ipv6 = [f"(?:{group}:){{6}}{last_32_bits}", f"::(?:{group}:){{5}}{last_32_bits}"]
    ipv6 += [f"{up_to(5 - after)}::(?:{group}:){{{after}}}{last_32_bits}" for after in range(4, -1, -1)]
    ipv6 += [f"{up_to(6)}::{group}", f"{up_to(7)}::"]
    return rf"\A(?:{ipv4}|{'|'.join(ipv6)})\Z"


IP_PATTERN: Final = _ip_pattern()


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of an event and its rules.

    Attributes:
        name: The name as users write it; fields inside the payload start with `payload.`.
        kind: How its value is read.
        description: What it means, for the reference page and the API's schema.
        required: An event without it is refused.
        required_for_click: A click without it is refused.
        when_absent: What is taken instead, for the reference page.
        max_length: Longest text in characters; None where the kind bounds it.
        choices: The values allowed, for `Kind.CHOICE`.
        choice_code: What an event with another value earns.
        bits: Width of the number, for `Kind.UINT` and `Kind.POSITION`.
        json_types: The JSON types that are taken.
        example: A valid value, for documentation.
        is_dispensable: Where its value cannot be used, the event is stored without it and carries a warning.
    """

    name: str
    kind: Kind
    description: str
    required: bool = False
    required_for_click: bool = False
    when_absent: str = ""
    max_length: int | None = None
    choices: tuple[str, ...] = ()
    choice_code: ErrorCode | None = None
    bits: int = 0
    json_types: tuple[str, ...] = ("string",)
    example: str = ""
    is_dispensable: bool = False

    @property
    def severity(self) -> Severity:
        """What an unusable value costs."""
        return Severity.WARNING if self.is_dispensable else Severity.ERROR

    @property
    def spelling(self) -> Spelling | None:
        """How its value is read before it is judged; None where only one spelling is taken."""
        match self.kind:
            case Kind.CHOICE:
                return choice_spelling(tuple(map(str, self.choices)))
            case Kind.TIMESTAMP:
                return spellings.TIME
            case Kind.UINT:
                return spellings.WHOLE_NUMBER
            case Kind.POSITION:
                return spellings.POSITION
            case Kind.IP:
                return spellings.IP
            case _:
                return None

    @property
    def is_in_payload(self) -> bool:
        """Whether the field lies inside the payload."""
        return self.name.startswith(PAYLOAD_PREFIX)

    @property
    def key(self) -> str:
        """The key in its JSON object."""
        return self.name.removeprefix(PAYLOAD_PREFIX)

    @property
    def pattern(self) -> str | None:
        """What its text must match, as a regular expression; None where any text will do."""
        match self.kind:
            case Kind.TIMESTAMP:
                return TIMESTAMP_PATTERN
            case Kind.IP:
                return IP_PATTERN
            case Kind.UINT | Kind.POSITION:
                return uint_pattern(self.bits)
            case _:
                return None

    @property
    def pattern_code(self) -> ErrorCode:
        """What an event earns whose text does not match `pattern`."""
        return {
            Kind.TIMESTAMP: ErrorCode.INVALID_TIMESTAMP,
            Kind.IP: ErrorCode.INVALID_IP,
            Kind.UINT: ErrorCode.INVALID_NUMBER,
            Kind.POSITION: ErrorCode.INVALID_NUMBER,
        }[self.kind]

    @property
    def value_codes(self) -> tuple[ErrorCode, ...]:
        """What a value that is there can earn."""
        codes = [ErrorCode.WRONG_TYPE]
        if self.max_length is not None:
            codes.append(ErrorCode.TOO_LONG)
        if self.choice_code is not None:
            codes.append(self.choice_code)
        if self.pattern is not None:
            codes.append(self.pattern_code)
        return tuple(codes)

    @property
    def rule(self) -> str:  # noqa: PLR0911 -- a return for each kind
        """What is allowed, as the end of the sentence “… must be”."""
        match self.kind:
            case Kind.CHOICE:
                return "one of " + ", ".join(self.choices)
            case Kind.TIMESTAMP:
                return "an RFC 3339 time from 1970 on, such as 2025-01-01T10:00:00Z, but not a leap second"
            case Kind.POSITION:
                return f"a number of pixels up to {2**self.bits - 1}"
            case Kind.UINT:
                return f"a whole number from 0 to {2**self.bits - 1}"
            case Kind.IP:
                return "an IPv4 or IPv6 address"
            case Kind.PAYLOAD:
                return (
                    f"a JSON object of at most {MAX_PAYLOAD_BYTES} bytes and {MAX_PAYLOAD_DEPTH} levels"
                    " (in a CSV file: its JSON text)"
                )
            case Kind.TEXT:
                return f"text of at most {self.max_length} characters"


FIELDS: Final[tuple[Field, ...]] = (
    Field(
        name="id",
        kind=Kind.UINT,
        bits=64,
        json_types=("number", "string"),
        description="Unique id of the event; an event whose id is already stored is a duplicate.",
        when_absent="a 64-bit hash of the event's content, so that a retry is a duplicate",
        example="1842",
    ),
    Field(
        name="type",
        kind=Kind.CHOICE,
        choices=tuple(EventType),
        choice_code=ErrorCode.UNKNOWN_EVENT_TYPE,
        required=True,
        description="Whether the element was seen or clicked.",
        example="click",
    ),
    Field(
        name="created_at",
        kind=Kind.TIMESTAMP,
        required=True,
        description="Time at which the event happened.",
        example="2025-01-01T10:00:00Z",
    ),
    Field(
        name="session_id",
        kind=Kind.TEXT,
        max_length=512,
        required=True,
        description="Id of the visit that the event belongs to.",
        example="s-77",
    ),
    Field(
        name="ip",
        is_dispensable=True,
        kind=Kind.IP,
        description="IP address of the device.",
        when_absent="the address of the HTTP client; otherwise empty",
        example="203.0.113.7",
    ),
    Field(
        name="user_id",
        kind=Kind.UINT,
        bits=64,
        json_types=("number", "string"),
        required=True,
        description="Id of the person, signed in or anonymous.",
        example="42",
    ),
    Field(
        name="url",
        kind=Kind.TEXT,
        max_length=8192,
        required=True,
        description="Address of the page, complete or only its path.",
        example="/catalog?foo=bar",
    ),
    Field(
        name="referrer",
        is_dispensable=True,
        kind=Kind.TEXT,
        max_length=8192,
        description="Address of the previous page.",
        when_absent="empty",
        example="https://example.com/",
    ),
    Field(
        name="device_type",
        is_dispensable=True,
        kind=Kind.CHOICE,
        choices=tuple(DeviceType),
        choice_code=ErrorCode.UNKNOWN_DEVICE_TYPE,
        description="Kind of device that the person used.",
        when_absent="derived from the user agent",
        example="mobile",
    ),
    Field(
        name="user_agent",
        is_dispensable=True,
        kind=Kind.TEXT,
        max_length=2048,
        description="`User-Agent` header of the browser.",
        when_absent="the header of the HTTP request; otherwise empty",
        example="Mozilla/5.0 (X11; Linux x86_64)",
    ),
    Field(
        name="payload",
        kind=Kind.PAYLOAD,
        json_types=("object", "string"),
        description="The four fields below and any fields of your own, which are kept as they are. One that "
        "is null or an empty object counts as absent; a whole number of more than 64 bits is kept as text.",
        example='{"event_title": "checkout", "element_id": "#submit-button", "x": 445, "y": 315}',
    ),
    Field(
        name="payload.event_title",
        kind=Kind.TEXT,
        max_length=512,
        required=True,
        description="Name of what the person does, such as checkout.",
        example="checkout",
    ),
    Field(
        name="payload.element_id",
        kind=Kind.TEXT,
        max_length=1024,
        required=True,
        description="CSS selector of the element.",
        example="#submit-button",
    ),
    Field(
        name="payload.x",
        kind=Kind.POSITION,
        bits=32,
        json_types=("number", "string"),
        required_for_click=True,
        description="Pixels from the left edge of the page to the cursor.",
        example="445",
    ),
    Field(
        name="payload.y",
        kind=Kind.POSITION,
        bits=32,
        json_types=("number", "string"),
        required_for_click=True,
        description="Pixels from the top edge of the page to the cursor.",
        example="315",
    ),
)
"""All fields that a sender may set, in the order of the reference page.

`received_at` is not among them: it is the time of the receipt, and a sent one is ignored.
"""

IGNORED_COLUMNS: Final = ("received_at",)
"""Columns of the brief's event that a CSV file may have and that are not read."""

CSV_COLUMNS: Final = tuple(field.name for field in FIELDS if not field.is_in_payload)
"""The header of a CSV file of events, in the order that we write; any order is read."""

FIELD_BY_NAME: Final = {field.name: field for field in FIELDS}
