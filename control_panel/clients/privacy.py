"""What the page Privacy does: finding, exporting and erasing a person.

Each takes longer than a page may wait, so it runs in the background, and the page follows it by its id. An
erasure goes on when the page is left; one that ended with the panel is finished by erasing the person again.
"""

import threading
import uuid
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from clickstream.privacy.broker import held_by_broker
from clickstream.privacy.erase import erase_user
from clickstream.privacy.export import export_user
from clickstream.privacy.files import HoldingFile, files_that_hold
from clickstream.privacy.find import Holdings, find_person
from clickstream.privacy.receipt import Receipt, Remains, decode_receipt
from clickstream.settings import get_settings
from clickstream.storage.client import Role, connect
from clickstream.storage.erasures import ErasureRecord, read_erasures
from control_panel.clients.readings import shared
from control_panel.clients.warehouse import explained, warehouse

_KEPT_JOBS: Final = 20
_AT_ONCE: Final = 2


@dataclass(frozen=True, slots=True)
class Preview:
    """What an erasure would do.

    Attributes:
        holdings: What the warehouse holds of the person.
        files: CSV files that name them, which are not changed.
        broker: What the broker holds until its retention ends.
    """

    holdings: Holdings
    files: tuple[HoldingFile, ...]
    broker: tuple[Remains, ...]


@dataclass(slots=True)
class Job:
    """Work in the background.

    Attributes:
        id: Its id.
        user_id: The person.
        steps: What it has said so far.
        future: Gives its result.
    """

    id: str
    user_id: int
    steps: list[str] = field(default_factory=list)
    future: Future[Any] = field(default_factory=Future)

    @property
    def is_done(self) -> bool:
        """Whether it has ended."""
        return self.future.done()

    def result(self) -> Any:
        """What it gave.

        Raises:
            ClickstreamError: It has failed.
        """
        try:
            return self.future.result()
        except ClickHouseError as error:
            raise explained(error) from error


_pool: Final = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="privacy")
_jobs: Final[OrderedDict[str, Job]] = OrderedDict()
_lock: Final = threading.Lock()


def job(job_id: str) -> Job | None:
    """The job of this id; None if the panel was started since, or there were many others."""
    with _lock:
        return _jobs.get(job_id)


def start_preview(user_id: int) -> Job:
    """Finds out what an erasure would do; its result is a `Preview`."""
    return _start(user_id, lambda _: _preview(user_id))


def start_export(user_id: int) -> Job:
    """Gathers what is known of a person; its result is that of `export_user`."""
    return _start(user_id, lambda _: export_user(_reader(), user_id))


def start_erasure(user_id: int) -> Job:
    """Erases a person; its result is the `Receipt`."""
    return _start(user_id, lambda new: erase_user(get_settings(), user_id, new.steps.append))


def _start(user_id: int, work: Callable[[Job], Any]) -> Job:
    new = Job(uuid.uuid4().hex, user_id)
    with _lock:
        _jobs[new.id] = new
        for old in [one for one in _jobs.values() if one.is_done][: max(0, len(_jobs) - _KEPT_JOBS)]:
            del _jobs[old.id]
    new.future = _pool.submit(work, new)
    return new


def _preview(user_id: int) -> Preview:
    settings = get_settings()
    holdings = find_person(_reader(), user_id)
    files = files_that_hold(settings, user_id)
    return Preview(holdings, tuple(files), tuple(held_by_broker(settings.broker, datetime.now(UTC))))


def _reader() -> Client:
    return connect(get_settings().clickhouse, Role.READER)


@shared(seconds=10)
def erasures() -> tuple[ErasureRecord, ...]:
    """All erasures, the latest first."""
    try:
        return tuple(read_erasures(warehouse()))
    except ClickHouseError as error:
        raise explained(error) from error


def receipt_of(erasure: ErasureRecord) -> Receipt | None:
    """The receipt of an erasure; None if it has not finished."""
    return decode_receipt(erasure.receipt) if erasure.receipt else None
