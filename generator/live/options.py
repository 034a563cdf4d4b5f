"""What a live run is told: how fast, in which rhythm, with how much that is wrong, and where to."""

import math
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

import msgspec

from clickstream.errors import BadInputError

MIN_RATE: Final = 0.1
MAX_RATE: Final = 5_000.0
"""Events a second."""

MAX_MINUTES: Final = 525_600.0
"""A year."""

DEFAULT_GENERATOR: Final = "default"
"""The generator that is meant where none is named."""

MAX_GENERATORS: Final = 100
"""Generators that one service keeps, running or not."""

_GENERATOR_NAME: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")


class Shape(StrEnum):
    """How the rate changes in the course of time; its mean is the rate that was asked for."""

    STEADY = "steady"
    DAILY = "daily"
    BURST = "burst"


class Target(StrEnum):
    """Where events go; half of them each way for `both`."""

    BROKER = "broker"
    HTTP = "http"
    BOTH = "both"


class Source(StrEnum):
    """What the ledger calls the two ways."""

    BROKER = "broker"
    HTTP = "http"


class LiveOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What is generated.

    Attributes:
        rate_per_second: Events, the broken and the repeated among them; the mean of the shape.
        shape: How the rate changes.
        faults_percent: Share of broken events.
        duplicates_percent: Share of events that repeat a valid one.
        target: Where they go.
        seed: Who comes and what they do. Ids differ at each start.
        minutes: Stops after this many; 0 means never.
        resumes: Whether it goes on when its service starts again.
        ends_at: When it ends, once it has started; None for no end. Ignored in a request, so that the options
            of a status can be sent back.
    """

    rate_per_second: float = 20.0
    shape: Shape = Shape.STEADY
    faults_percent: float = 1.0
    duplicates_percent: float = 2.0
    target: Target = Target.BROKER
    seed: int = 42
    minutes: float = 0.0
    resumes: bool = True
    ends_at: datetime | None = None

    @property
    def sources(self) -> tuple[Source, ...]:
        """The ways that the target means."""
        return tuple(Source) if self.target is Target.BOTH else (Source(self.target.value),)


class OptionError(msgspec.Struct, frozen=True):
    """One thing that is wrong with a request.

    Attributes:
        field: The option; empty for the request as a whole.
        message: What is allowed.
        value: What was received, as JSON text.
    """

    field: str
    message: str
    value: str


class BadOptionsError(BadInputError):
    """Options that can't be used.

    Attributes:
        errors: What is wrong with each.
    """

    def __init__(self, errors: list[OptionError]) -> None:
        super().__init__("; ".join(f"{error.message} Received: {error.value}." for error in errors))
        self.errors = errors


Check = Callable[[Any], Any]
"""Gives the value of an option, or raises ValueError with what is allowed."""


def _number(least: float, most: float, what: str) -> Check:
    rule = f"a number of {what} from {least:g} to {most:g}"

    def check(value: Any) -> float:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not math.isfinite(value) or not least <= value <= most:
            raise ValueError(rule)
        return float(value)

    return check


def _choice(choices: type[StrEnum]) -> Check:
    def check(value: Any) -> StrEnum:
        if value not in list(choices):
            raise ValueError(f"one of {', '.join(choices)}")
        return choices(value)

    return check


def _seed(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError("a whole number")
    return value


def _yes_or_no(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("true or false")
    return value


CHECKS: Final[Mapping[str, Check]] = {
    "rate_per_second": _number(MIN_RATE, MAX_RATE, "events per second"),
    "shape": _choice(Shape),
    "faults_percent": _number(0, 100, "percent"),
    "duplicates_percent": _number(0, 100, "percent"),
    "target": _choice(Target),
    "seed": _seed,
    "minutes": _number(0, MAX_MINUTES, "minutes"),
    "resumes": _yes_or_no,
}
"""The rule of each option."""


def check_generator_name(name: str) -> str:
    """The name, if a generator can have it.

    Raises:
        BadOptionsError: It can't.
    """
    if not _GENERATOR_NAME.fullmatch(name):
        message = "A generator's name must be 1 to 40 lower-case letters, digits and inner hyphens."
        raise BadOptionsError([OptionError("name", message, _shown(name))])
    return name


def parse_options(
    body: bytes, defaults: LiveOptions, allowed: tuple[str, ...] = tuple(CHECKS)
) -> LiveOptions:
    """Reads options from a JSON object; those that it doesn't name are as in `defaults`.

    Args:
        body: The JSON text; empty for no options.
        defaults: What holds without it.
        allowed: The options that it may name.

    Raises:
        BadOptionsError: It isn't an object, or an option isn't known or out of bounds; names them all.
    """
    return check_options(_read_object(body), defaults, allowed)


def check_options(
    given: Mapping[str, Any], defaults: LiveOptions, allowed: tuple[str, ...] = tuple(CHECKS)
) -> LiveOptions:
    """Options with some values changed, all of them checked.

    Raises:
        BadOptionsError: An option isn't known or out of bounds; names them all.
    """
    errors, values = [], {}
    for name, value in given.items():
        if name == "ends_at":
            continue
        if name not in allowed:
            known = ", ".join(allowed)
            errors.append(OptionError(name, f"{name} is not known here; known: {known}.", _shown(value)))
            continue
        try:
            values[name] = CHECKS[name](value)
        except ValueError as error:
            errors.append(OptionError(name, f"{name} must be {error}.", _shown(value)))
    if errors:
        raise BadOptionsError(errors)
    options = msgspec.structs.replace(defaults, **values)
    wrong = options.faults_percent + options.duplicates_percent
    if wrong >= 100:
        message = "faults_percent and duplicates_percent together must be below 100, to leave valid events."
        raise BadOptionsError([OptionError("faults_percent", message, f"{wrong:g}")])
    return options


def _read_object(body: bytes) -> Mapping[str, Any]:
    try:
        given = msgspec.json.decode(body) if body.strip() else {}
    except (msgspec.DecodeError, RecursionError) as error:
        message = f"The body must be JSON: {error}."
        raise BadOptionsError([OptionError("", message, _cut(body.decode(errors="replace")))]) from None
    if not isinstance(given, dict):
        raise BadOptionsError([OptionError("", "The body must be a JSON object.", _shown(given))])
    return given


def _shown(value: Any) -> str:
    return _cut(msgspec.json.encode(value).decode())


def _cut(text: str) -> str:
    return text if len(text) <= 100 else text[:99] + "…"
