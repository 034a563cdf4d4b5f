"""CSV files that are loaded during the drill, one after the other, each until its load has succeeded."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from clickstream.errors import ClickstreamError
from clickstream.mage_api import MageClient
from clickstream.settings import Settings
from generator.csv_writer import write_dataset
from generator.plan import DatasetFiles, Plan

_EVENTS: Final = 2_000
_PAUSE_SECONDS: Final = 5.0
_RUN_SECONDS: Final = 180.0
"""After this time without an end, the load is started again."""


class CsvFlow:
    """Makes files and has Mage load them, until it is ended."""

    def __init__(self, settings: Settings, directory: Path, seed: int, say: Callable[[str], None]) -> None:
        self._settings = settings
        self._directory = directory
        self._seed = seed
        self._say = say
        self._loaded: list[Plan] = []
        self._is_ending = threading.Event()
        self._has_given_up = threading.Event()
        self._threads = ThreadPoolExecutor(max_workers=1)
        self._work = self._threads.submit(lambda: None)

    def start(self) -> None:
        """Begin to load."""
        self._directory.mkdir(parents=True, exist_ok=True)
        self._work = self._threads.submit(self._load_files)

    def end(self, seconds: float) -> bool:
        """Make no more files, and wait for the load that is under way; whether it has succeeded."""
        self._is_ending.set()
        wait([self._work], seconds)
        is_done = self._work.done()
        self._has_given_up.set()
        self._threads.shutdown(wait=False)
        if is_done:
            self._work.result()
        return is_done

    def loaded(self) -> tuple[int, int]:
        """How many events the loaded files hold, and how many distinct valid ones."""
        return sum(plan.events for plan in self._loaded), sum(plan.valid_events for plan in self._loaded)

    def _load_files(self) -> None:
        number = 0
        until = (datetime.now(UTC) - timedelta(days=1)).date()
        while not self._is_ending.is_set():
            seed = self._seed * 1_000 + number
            plan = Plan(_EVENTS, days=3, seed=seed, faults=0.02, duplicates=0.02, until=until)
            files = DatasetFiles.beside(self._directory / f"events-{seed}.csv")
            write_dataset(plan, files, lambda _records: None)
            self._load(files.events)
            self._loaded.append(plan)
            number += 1
            self._is_ending.wait(_PAUSE_SECONDS)

    def _load(self, path: Path) -> None:
        """Load a file; whatever fails, again."""
        while True:
            try:
                with MageClient(self._settings.mage) as mage:
                    run_id = mage.trigger("load_csv", {"path": str(path)})
                    mage.wait(run_id, timeout_seconds=_RUN_SECONDS)
            except ClickstreamError as error:
                if self._has_given_up.is_set():
                    raise
                self._say(f"  {time.strftime('%H:%M:%S')} {path.name} is loaded again: {str(error)[:300]}")
                time.sleep(_PAUSE_SECONDS)
            else:
                return
