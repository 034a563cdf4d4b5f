"""Answers of other services, shared by all open pages.

A page never waits long for a service. Each question is asked in the background, once for all pages within
its time to live; a page waits a little for the answer and otherwise shows what it has, or that it waits.
"""

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Generic, TypeVar

from clickstream.errors import ClickstreamError

logger: Final = logging.getLogger(__name__)

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

WAIT_SECONDS: Final = 1.5
"""How long a page waits for an answer, counted from the question, however many of its parts need it."""

_PROBLEM_SECONDS: Final = 3.0
"""A service that failed is not asked again before."""

_MAX_REST_SECONDS: Final = 60.0

_MAX_ENTRIES: Final = 256
_POOL: Final = ThreadPoolExecutor(max_workers=8, thread_name_prefix="reading")


@dataclass(frozen=True, slots=True)
class Reading(Generic[T_co]):
    """What is known of an answer.

    Attributes:
        value: The last answer; None if there never was one.
        problem: Why the latest attempt failed; None if it did not.
        read_at: When the answer came; None if there never was one.
        is_waiting: Whether the service has been asked and has not answered yet.
    """

    value: T_co | None = None
    problem: ClickstreamError | None = None
    read_at: datetime | None = None
    is_waiting: bool = False


class _Entry:
    def __init__(self) -> None:
        self.reading: Reading[Any] = Reading()
        self.fresh_until = 0.0
        self.future: Future[None] | None = None
        self.asked_at = 0.0


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that was asked and is not answered yet.

    Attributes:
        future: Ends with the answer.
        asked_at: When it was asked, on the monotonic clock.
    """

    future: Future[None]
    asked_at: float


class Question(Generic[T]):
    """One call with its arguments, ready to be asked."""

    def __init__(self, shared: "Shared[T]", arguments: tuple[Hashable, ...]) -> None:
        self._shared = shared
        self._arguments = arguments

    def start(self) -> Asked | None:
        """Ask in the background unless the answer is fresh; gives what is under way."""
        return self._shared.start(self._arguments)

    def reading(self) -> Reading[T]:
        """What is known now."""
        return self._shared.known(self._arguments)

    def read(self, wait_seconds: float = WAIT_SECONDS) -> Reading[T]:
        """Ask, and wait a little for the answer."""
        read_all(self, wait_seconds=wait_seconds)
        return self.reading()


class Shared(Generic[T]):
    """A function whose answers are shared; see `shared`."""

    def __init__(self, function: Callable[..., T], seconds: float, rest: float) -> None:
        self._function = function
        self._seconds = seconds
        self._rest = rest
        self._lock = threading.Lock()
        self._entries: OrderedDict[tuple[Hashable, ...], _Entry] = OrderedDict()

    def __call__(self, *arguments: Hashable) -> Question[T]:
        """The question with these arguments."""
        return Question(self, arguments)

    def forget(self) -> None:
        """Ask again next time, because something has changed."""
        with self._lock:
            for entry in self._entries.values():
                entry.fresh_until = 0.0

    def known(self, arguments: tuple[Hashable, ...]) -> Reading[T]:
        """What is known for these arguments."""
        with self._lock:
            entry = self._entries.get(arguments)
            return Reading() if entry is None else entry.reading

    def start(self, arguments: tuple[Hashable, ...]) -> Asked | None:
        """Ask in the background unless the answer is fresh; gives what is under way."""
        with self._lock:
            entry = self._entries.setdefault(arguments, _Entry())
            self._entries.move_to_end(arguments)
            while len(self._entries) > _MAX_ENTRIES:
                self._entries.popitem(last=False)
            if entry.future is None and time.monotonic() >= entry.fresh_until:
                known = entry.reading
                entry.reading = Reading(known.value, known.problem, known.read_at, is_waiting=True)
                entry.asked_at = time.monotonic()
                entry.future = _POOL.submit(self._load, arguments, entry)
            return None if entry.future is None else Asked(entry.future, entry.asked_at)

    def _load(self, arguments: tuple[Hashable, ...], entry: _Entry) -> None:
        seconds, known, begin = self._seconds, entry.reading, time.monotonic()
        try:
            reading = Reading(self._function(*arguments), read_at=datetime.now(UTC))
            seconds = max(seconds, min(_MAX_REST_SECONDS, (time.monotonic() - begin) * self._rest))
        except ClickstreamError as error:
            reading = Reading(known.value, error, known.read_at)
            seconds = _PROBLEM_SECONDS
        except Exception as error:
            logger.exception("A question to a service failed.")
            told = ClickstreamError(
                f"The panel could not read the answer ({type(error).__name__}).",
                hint="Its log has the details: make logs SERVICE=panel.",
            )
            reading = Reading(known.value, told, known.read_at)
            seconds = _PROBLEM_SECONDS
        with self._lock:
            entry.reading = reading
            entry.fresh_until = time.monotonic() + seconds
            entry.future = None


def shared(seconds: float, rest: float = 0.0) -> Callable[[Callable[..., T]], Shared[T]]:
    """Make a function's answers shared between pages for some seconds.

    The function runs in a thread of its own, so it must not call Streamlit. It raises `ClickstreamError`
    where a service fails; the page shows that text.

    Args:
        seconds: How long an answer is shared.
        rest: An answer is shared at least this many times as long as it took, up to a minute, so that an open
            page costs little however much data there is.
    """

    def decorate(function: Callable[..., T]) -> Shared[T]:
        return Shared(function, seconds, rest)

    return decorate


def read_all(*questions: Question[Any], wait_seconds: float = WAIT_SECONDS) -> None:
    """Ask all at the same time, and wait until they are answered or the time is over.

    A question that failed last time is not waited for: the page says at once what is wrong.
    """
    waited_for = []
    for question in questions:
        had_problem = question.reading().problem is not None
        asked = question.start()
        if asked is not None and not had_problem:
            waited_for.append(asked)
    for asked in sorted(waited_for, key=lambda one: one.asked_at):
        wait([asked.future], timeout=max(0.0, asked.asked_at + wait_seconds - time.monotonic()))


def act(action: Callable[[], T], wait_seconds: float = WAIT_SECONDS) -> T | None:
    """Do something that a person asked for, without keeping the page waiting.

    Gives the result, or None if it is not there in time; the action then continues in the background.

    Raises:
        ClickstreamError: The action failed in time.
    """
    future = _POOL.submit(action)
    try:
        return future.result(timeout=wait_seconds)
    except TimeoutError:
        return None
