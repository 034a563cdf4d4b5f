"""Start, stop, describe and delete one stack: what every command and the tests go through."""

import fcntl
import os
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psutil
from supervisor.states import ProcessStates

from clickstream.errors import ClickstreamError, ServiceUnavailableError
from clickstream.settings import Settings, env_file
from stack.checks import check_disk, check_ports
from stack.health import health_problem
from stack.log_files import last_lines
from stack.paths import StackPaths
from stack.patience import patience
from stack.processes import end_processes, is_watchdog, processes_of, wait_for_end
from stack.progress import Reporter, SilentReporter
from stack.services import Service, chosen_services
from stack.supervision import DEAD_STATES, PID_FILE, WATCHDOG, ProcessInfo, Supervisor, render_config

POLL_SECONDS = 0.2
LOG_LINES_SHOWN = 20
# A service that ends so often while `up` waits for it will not become healthy by more patience.
DEATHS_ALLOWED = 2
END_ROUNDS = 5


class ServiceStartError(ClickstreamError):
    """A service did not become healthy.

    Attributes:
        service: Its name.
        log_lines: The end of its log.
    """

    def __init__(self, service: str, reason: str, log_lines: Sequence[str], *, hint: str) -> None:
        super().__init__(f"{service} {reason}.", hint=hint)
        self.service = service
        self.log_lines = tuple(log_lines)


class BusyError(ClickstreamError):
    """Another command starts or stops this stack right now."""


def started_otherwise(changes: Sequence[str]) -> str:
    """Says that the running stack was started with other settings.

    Args:
        changes: What `Stack.address_changes` gives.
    """
    return f"The running stack was started with other settings: {'; '.join(changes)}."


@dataclass(frozen=True)
class StartResult:
    """What `up` did: the services that it started; none if all were up and healthy."""

    started: tuple[str, ...]


class Stack:
    """One stack: the services that its settings name, in its data directory."""

    def __init__(self, settings: Settings, reporter: Reporter | None = None) -> None:
        self.settings = settings
        self.services = chosen_services(settings)
        self.paths = StackPaths(settings.stack.data_path)
        self.supervisor = Supervisor(self.paths)
        self._report: Reporter = reporter or SilentReporter()

    def up(self) -> StartResult:
        """Start what does not run and wait until everything is healthy; changes nothing if everything is.

        Raises:
            ServiceStartError: A service did not become healthy. What this call started is stopped again.
            ClickstreamError: Something stands in the way: a taken port, a full disk, another `up`.
        """
        self.paths.create()
        with self._exclusive():
            was_running = self.supervisor.is_running()
            if was_running and (changes := self.address_changes()):
                self._report.say(f"{started_otherwise(changes)} Restarting the stack to apply the settings.")
                moved = self.moved_services()
                check_ports([one for one in self.services if one.name in moved], self.settings)
                self._stop()
                was_running = False
            missing = self._missing_services()
            if was_running and not missing:
                # An earlier `up` may have been killed before it came to this.
                self.supervisor.start_process(WATCHDOG)
                return StartResult(started=())
            check_disk(self.settings)
            if not was_running:
                self._end_leftovers()
            check_ports([service for service in missing if self._is_dead(service)], self.settings)
            try:
                if not was_running:
                    self._start_supervisor()
                # From the beginning, so that what has started stays watched if `up` is killed.
                self.supervisor.start_process(WATCHDOG)
                self._start(missing)
            except BaseException:
                if not was_running:
                    self._stop()
                    self._report.say("Everything was stopped again.")
                raise
        return StartResult(started=tuple(service.name for service in missing))

    def revive(self) -> None:
        """Start the supervisor and all services again after the supervisor was killed, without waiting.

        The services live without each other for a while, and the watchdog sees to each. It may be killed and
        called again; while another command is at work, it does nothing.
        """
        try:
            with self._exclusive():
                if not self.supervisor.is_running():
                    # Watchdog and substitute take over should this process be killed; they end by themselves.
                    self._end_leftovers(spare_watchdog=True)
                    self._start_supervisor()
                for name in (WATCHDOG, *(service.name for service in self.services)):
                    self.supervisor.start_process(name)
        except BusyError:
            self._report.say("Another command is starting or stopping the stack already.")

    def down(self) -> bool:
        """Stop everything, each service before those that it depends on; False if nothing ran.

        What a killed supervisor left running is ended too. A process that does not stop in time is killed.
        """
        if not self.paths.run.is_dir():
            return False
        with self._exclusive():
            return self._stop()

    def moved_services(self) -> Mapping[str, str]:
        """Where services listen that the settings place elsewhere by now, by name; none if nothing runs."""
        try:
            started = dict(line.split() for line in self.paths.addresses.read_text().splitlines())
        except FileNotFoundError:
            return {}
        return {
            name: started[name]
            for name, address in self._addresses().items()
            if started.get(name, address) != address
        }

    def address_changes(self) -> list[str]:
        """Which services listen elsewhere than the settings say by now, in words; none if nothing runs."""
        addresses = self._addresses()
        return [
            f"{name} listens on {started}, not on {addresses[name]}"
            for name, started in self.moved_services().items()
        ]

    def delete_data(self) -> None:
        """Stop everything and delete the data directory; the settings file stays.

        Raises:
            DataDirectoryError: The directory does not belong to a stack.
        """
        self.paths.refuse_foreign()
        self.down()
        if self.paths.data.exists():
            shutil.rmtree(self.paths.data)

    def _addresses(self) -> dict[str, str]:
        return {
            service.name: f"{service.listens_on(self.settings)}:{service.port(self.settings)}"
            for service in self.services
        }

    def _missing_services(self) -> list[Service]:
        """The services that do not run, or are not healthy."""
        try:
            processes = self.supervisor.processes()
        except ServiceUnavailableError:
            return list(self.services)
        if unknown := [service.name for service in self.services if service.name not in processes]:
            raise ClickstreamError(
                f"The stack was started without {', '.join(unknown)}.",
                hint="Run `make down`, then `make up`.",
            )
        return [
            service
            for service in self.services
            if processes[service.name].state in DEAD_STATES or health_problem(service, self.settings)
        ]

    def _is_dead(self, service: Service) -> bool:
        try:
            return self.supervisor.processes()[service.name].state in DEAD_STATES
        except ServiceUnavailableError:
            return True

    def _start_supervisor(self) -> None:
        # A stop before this has removed the directory of the socket.
        self.paths.create()
        for leftover in (self.paths.socket, self.paths.run / PID_FILE):
            leftover.unlink(missing_ok=True)
        config = render_config(self.paths, self.services, self.settings)
        self.paths.supervisor_config.write_text(config, encoding="utf-8")
        self.paths.addresses.write_text(
            "".join(f"{name} {address}\n" for name, address in self._addresses().items()), encoding="utf-8"
        )
        self.supervisor.start({**os.environ, "CLICKSTREAM_ENV_FILE": str(env_file())})

    def _start(self, services: Sequence[Service]) -> None:
        """Start each service as soon as those that it depends on are healthy; others side by side."""
        healthy = {service.name for service in self.services} - {service.name for service in services}
        starts: dict[str, _Start] = {}
        while waiting := [service for service in services if service.name not in healthy]:
            for service in waiting:
                if service.name in starts:
                    if starts[service.name].is_healthy(self.supervisor.processes()[service.name]):
                        self._report.ended(service.name, f"healthy, {service.shown_address(self.settings)}")
                        healthy.add(service.name)
                elif healthy.issuperset(service.depends_on):
                    starts[service.name] = self._begin(service)
            time.sleep(POLL_SECONDS)

    def _begin(self, service: Service) -> "_Start":
        if service.prepare is not None:
            self._report.began(service.name, "preparing")
            service.prepare(self.settings, partial(self._report.began, service.name))
        self._report.began(service.name, "starting")
        before = self.supervisor.processes()[service.name]
        self.supervisor.start_process(service.name)
        return _Start(service, self.settings, self.paths, before)

    def _stop(self) -> bool:
        """Stop the services in reverse order, then the supervisor, then whatever is left."""
        was_running = False
        try:
            was_running = self.supervisor.is_running()
            if was_running:
                self._stop_in_order()
        except ClickstreamError as error:
            self._report.say(f"{error} Ending its processes without it.")
        self.paths.addresses.unlink(missing_ok=True)
        self.paths.health.unlink(missing_ok=True)
        shutil.rmtree(self.paths.health.with_suffix(""), ignore_errors=True)
        # Helpers of the services, such as Mage's, may outlive them; after a stop in order nothing is amiss.
        had_leftovers = self._end_leftovers(is_routine=was_running)
        shutil.rmtree(self.paths.short_directory, ignore_errors=True)
        return had_leftovers or was_running

    def _stop_in_order(self) -> None:
        processes = self.supervisor.processes()
        # First of all, so that it does not take a service that stops for one that hangs.
        self.supervisor.stop_process(WATCHDOG)
        for service in reversed(self.services):
            self._stop_service(service.name, processes.get(service.name))
        supervisor_process = [psutil.Process(self.supervisor.pid())]
        self.supervisor.shutdown()
        wait_for_end(supervisor_process, self.settings.stack.stop_timeout_seconds * patience())

    def _stop_service(self, name: str, info: ProcessInfo | None) -> None:
        if info is None or info.state in DEAD_STATES:
            return
        self._report.began(name, "stopping")
        self.supervisor.stop_process(name)
        # The supervisor kills what does not stop in time; it knows each service's own time.
        while self.supervisor.processes()[name].state not in DEAD_STATES:
            time.sleep(POLL_SECONDS / 2)
        self._report.ended(name, "stopped")

    def _end_leftovers(self, *, spare_watchdog: bool = False, is_routine: bool = False) -> bool:
        """End processes of this stack that no supervisor looks after; False if there are none."""
        had_any = False
        # A supervisor that is among them may start another process before it ends.
        for _ in range(END_ROUNDS):
            leftovers = processes_of(self.paths.data)
            if spare_watchdog:
                leftovers = [one for one in leftovers if not is_watchdog(one)]
            if not leftovers:
                break
            had_any = True
            numbers = ", ".join(str(process.pid) for process in leftovers)
            if not is_routine:
                self._report.say(f"Ending what is left running of this stack: process {numbers}.")
            end_processes(leftovers, self.settings.stack.stop_timeout_seconds)
        return had_any

    @contextmanager
    def _exclusive(self) -> Iterator[None]:
        """Hold the stack's lock; it is free again when the process ends, however it ends."""
        descriptor = os.open(self.paths.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(descriptor)
            raise BusyError(
                f"Another command is starting or stopping the stack in {self.paths.data}.",
                hint="Wait until it is done; `make status` shows how far it is.",
            ) from error
        try:
            yield
        finally:
            os.close(descriptor)


class _Start:
    """One service on its way from the start to health."""

    def __init__(self, service: Service, settings: Settings, paths: StackPaths, before: ProcessInfo) -> None:
        self._service = service
        self._settings = settings
        self._log: Path = paths.log_of(service.name)
        self._timeout = service.start_timeout_seconds or settings.stack.start_timeout_seconds
        self._started_at = time.monotonic()
        self._stopped_at = before.stopped_at
        self._deaths = 0

    def is_healthy(self, info: ProcessInfo) -> bool:
        """Look once.

        Raises:
            ServiceStartError: It keeps dying, or its time is up.
        """
        if info.stopped_at != self._stopped_at:
            self._deaths += 1
        self._stopped_at = info.stopped_at
        if info.state == ProcessStates.FATAL or self._deaths > DEATHS_ALLOWED:
            raise self._failure(f"ended {self._deaths} times while starting")
        problem = health_problem(self._service, self._settings) if info.pid else "does not run"
        seconds = time.monotonic() - self._started_at
        if problem and seconds > self._timeout * patience():
            raise self._failure(f"is not healthy after {seconds:.0f} s: it {problem}")
        return problem is None

    def _failure(self, reason: str) -> ServiceStartError:
        return ServiceStartError(
            self._service.name,
            reason,
            last_lines(self._log, LOG_LINES_SHOWN),
            hint=f"Mend what the log says ({self._log}), then run `make up` again.",
        )
