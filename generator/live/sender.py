"""Hands parcels over, again and again until each is acknowledged."""

import logging
import queue
import random
import threading
import time
from collections.abc import Callable, Iterable
from typing import Final

from generator.live.account import Account
from generator.live.options import Source
from generator.live.transports import DeliveryError, GivenUpError, Transport
from generator.live.wire import Parcel

logger: Final = logging.getLogger(__name__)

_FIRST_PAUSE_SECONDS: Final = 0.2
_LONGEST_PAUSE_SECONDS: Final = 10.0
_LONGEST_WISH_SECONDS: Final = 60.0
"""No longer than this, whatever the other side asks for."""

_POLL_SECONDS: Final = 0.1
_END_SECONDS: Final = 3.0

OnAcknowledged = Callable[[Parcel], None]
"""Told of each parcel that has arrived."""


class Sender:
    """Sends the parcels of one source, several at once; how many may be under way is bounded.

    Attributes:
        retries: Attempts that failed.
    """

    def __init__(
        self,
        source: Source,
        transport: Transport,
        account: Account,
        on_acknowledged: OnAcknowledged,
        connections: int,
    ) -> None:
        self.source = source
        self.retries = 0
        self._transport = transport
        self._account = account
        self._on_acknowledged = on_acknowledged
        self._parcels: queue.SimpleQueue[tuple[Parcel, bool]] = queue.SimpleQueue()
        self._free = threading.Semaphore(2 * connections)
        self._ending = threading.Event()
        self._problems: dict[int, str] = {}
        self._threads = [
            threading.Thread(target=self._work, name=f"{source}-{number}", daemon=True)
            for number in range(connections)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def problem(self) -> str:
        """What keeps a parcel from being acknowledged; empty if nothing does."""
        return next(iter(list(self._problems.values())), "")

    def resume(self, parcels: Iterable[Parcel]) -> None:
        """Take over what a process that was killed has sent, but not struck out: it may have arrived."""
        for parcel in parcels:
            self._account.record_uncertain(parcel)
            self._parcels.put((parcel, self._free.acquire(blocking=False)))

    def wait_for_place(self, stop: threading.Event) -> bool:
        """Wait until another parcel may be under way; False if `stop` was set during the wait."""
        while not stop.is_set():
            if self._free.acquire(timeout=_POLL_SECONDS):
                return True
        return False

    def send(self, parcel: Parcel) -> None:
        """Take a parcel for which there is a place; it is sent until it is acknowledged."""
        self._account.record_sent(parcel)
        self._parcels.put((parcel, True))

    def drain(self, timeout_seconds: float) -> bool:
        """Wait until all is acknowledged; False if it isn't after a while."""
        deadline = time.monotonic() + timeout_seconds
        while self._account.unacknowledged(self.source):
            if time.monotonic() > deadline:
                return False
            time.sleep(_POLL_SECONDS / 5)
        return True

    def close(self) -> None:
        """End; what isn't acknowledged stays in the account."""
        self._ending.set()
        deadline = time.monotonic() + _END_SECONDS
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        self._transport.close()

    def _work(self) -> None:
        while not self._ending.is_set():
            try:
                parcel, has_place = self._parcels.get(timeout=_POLL_SECONDS)
            except queue.Empty:
                continue
            try:
                self._send_until_acknowledged(parcel)
            except GivenUpError:
                return
            except OSError:
                logger.exception(
                    "The journal can't be written; parcel %d is counted in memory alone.", parcel.number
                )
            if has_place:
                self._free.release()

    def _send_until_acknowledged(self, parcel: Parcel) -> None:
        def report(problem: str) -> None:
            self._problems[parcel.number] = problem

        pause = _FIRST_PAUSE_SECONDS
        while True:
            try:
                self._transport.deliver(parcel, report, self._ending)
                break
            except DeliveryError as error:
                self._fail(parcel, error)
                # Jitter, so that those who failed together don't come back together.
                wait = max(pause, min(error.retry_after_seconds, _LONGEST_WISH_SECONDS))
                if self._ending.wait(wait * random.uniform(0.8, 1.2)):  # noqa: S311 - no secret
                    raise GivenUpError from None
                pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
        self._problems.pop(parcel.number, None)
        # Told first: whoever waits until nothing is under way must then find all of it.
        self._on_acknowledged(parcel)
        self._account.record_acknowledged(parcel)

    def _fail(self, parcel: Parcel, error: DeliveryError) -> None:
        self.retries += 1
        if parcel.number not in self._problems:
            logger.warning("%s It is tried again.", error)
        self._problems[parcel.number] = str(error)
        if error.is_uncertain:
            self._account.record_uncertain(parcel)
