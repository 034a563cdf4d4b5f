"""Shows a person the progress of starting and stopping: with spinners on a terminal, else line by line."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn


class Reporter(Protocol):
    """Receives what happens to services, as it happens."""

    def say(self, message: str) -> None:
        """Something that concerns the whole stack."""

    def began(self, service: str, doing: str) -> None:
        """A step of a service began, such as "starting"."""

    def ended(self, service: str, done: str) -> None:
        """That step ended, with the result in words."""


class SilentReporter:
    """Says nothing: for programs."""

    def say(self, message: str) -> None:
        """Nothing."""

    def began(self, service: str, doing: str) -> None:
        """Nothing."""

    def ended(self, service: str, done: str) -> None:
        """Nothing."""


class LineReporter:
    """One line for each thing that happens, with the seconds that it took."""

    def __init__(self, console: Console, names: Sequence[str]) -> None:
        self._console = console
        self._width = max((len(name) for name in names), default=0)
        self._began: dict[str, float] = {}

    def say(self, message: str) -> None:
        """Print the message."""
        self._console.print(message, markup=False, soft_wrap=True)

    def began(self, service: str, doing: str) -> None:
        """Print what the service does now."""
        self._began[service] = time.monotonic()
        self.say(f"{service:<{self._width}}  {doing} …")

    def ended(self, service: str, done: str) -> None:
        """Print the result."""
        self.say(f"{service:<{self._width}}  {done}  ({time.monotonic() - self._began[service]:.1f} s)")


class SpinnerReporter:
    """One line per service, with a spinner while something is going on."""

    def __init__(self, progress: Progress, names: Sequence[str]) -> None:
        self._progress = progress
        self._width = max((len(name) for name in names), default=0)
        self._tasks: dict[str, TaskID] = {}

    def say(self, message: str) -> None:
        """Print the message above the spinners."""
        self._progress.console.print(message, markup=False, soft_wrap=True)

    def began(self, service: str, doing: str) -> None:
        """Start turning."""
        if service in self._tasks:
            self._progress.update(self._tasks[service], description=self._line(service, f"{doing} …"))
        else:
            self._tasks[service] = self._progress.add_task(self._line(service, f"{doing} …"), total=1)

    def ended(self, service: str, done: str) -> None:
        """Stop turning."""
        self._progress.update(self._tasks[service], description=self._line(service, done), completed=1)

    def _line(self, service: str, text: str) -> str:
        return f"{service:<{self._width}}  {text}"


@contextmanager
def reporting(console: Console, names: Sequence[str]) -> Iterator[Reporter]:
    """The reporter that suits the console."""
    if not console.is_terminal:
        yield LineReporter(console, names)
        return
    columns = (
        SpinnerColumn(finished_text="✓"),
        TextColumn("{task.description}", markup=False),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as progress:
        yield SpinnerReporter(progress, names)
