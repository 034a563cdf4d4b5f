"""supervisord: its configuration, and a client for its control socket."""

import http.client
import os
import socket
import subprocess
import time
import xmlrpc.client
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from supervisor.states import ProcessStates
from supervisor.xmlrpc import Faults

from clickstream.errors import ClickstreamError, ServiceUnavailableError
from clickstream.settings import PROJECT_ROOT, Settings
from stack.paths import StackPaths
from stack.patience import patience
from stack.processes import marks
from stack.services import MAIN_PYTHON, Service

WATCHDOG: Final = "watchdog"
PID_FILE: Final = "supervisord.pid"
# On an idle machine; a busy one is given longer.
ANSWER_TIMEOUT_SECONDS: Final = 15.0
LOG_GENERATIONS: Final = 3
# A service that keeps dying is tried again for ever, as it may wait for something outside of the stack; the
# pause grows by a second each time.
START_RETRIES: Final = 1_000_000

# Who ends sooner than this after its start is not started again at once, but after a pause.
START_SECONDS: Final = 10

ALIVE_STATES: Final = frozenset({ProcessStates.STARTING, ProcessStates.RUNNING})
DEAD_STATES: Final = frozenset(
    {ProcessStates.STOPPED, ProcessStates.EXITED, ProcessStates.FATAL, ProcessStates.UNKNOWN}
)


class SupervisorError(ClickstreamError):
    """The supervisor does not start, or refuses what it is asked."""


@dataclass(frozen=True)
class ProcessInfo:
    """What the supervisor knows about one process.

    Attributes:
        state: One of supervisor's `ProcessStates`.
        pid: Its process id; 0 if it does not run.
        started_at: When it was last started, in seconds since 1970; 0 if never.
        stopped_at: When it last ended, in seconds since 1970; 0 if never.
        trouble: Why it could not be started; empty if it could.
        exit_code: The code with which it ended, -1 after a signal; 0 while it runs.
    """

    state: int
    pid: int
    started_at: int
    stopped_at: int
    trouble: str
    exit_code: int = 0


def render_config(paths: StackPaths, services: Sequence[Service], settings: Settings) -> str:
    """The supervisor's configuration.

    It holds no secret: `stack.launch` reads the settings when it starts a service.
    """
    log_rotation = {
        "stdout_logfile_maxbytes": settings.stack.log_max_bytes,
        "stdout_logfile_backups": LOG_GENERATIONS,
    }
    config: dict[str, dict[str, object]] = {
        "unix_http_server": {"file": paths.socket, "chmod": "0600"},
        "rpcinterface:supervisor": {
            "supervisor.rpcinterface_factory": "supervisor.rpcinterface:make_main_rpcinterface"
        },
        "supervisord": {
            "logfile": paths.log_of("supervisor"),
            "logfile_maxbytes": settings.stack.log_max_bytes,
            "logfile_backups": LOG_GENERATIONS,
            "pidfile": paths.run / PID_FILE,
            "childlogdir": paths.logs,
            "directory": PROJECT_ROOT,
            "umask": "077",
            # Said explicitly; otherwise it warns that it runs as root.
            **({"user": "root"} if os.getuid() == 0 else {}),
        },
    }
    for service in services:
        config[f"program:{service.name}"] = {
            "command": f'"{MAIN_PYTHON}" -m stack.launch {service.name}',
            "autostart": "false",
            "autorestart": "true",
            "startsecs": START_SECONDS,
            "startretries": START_RETRIES,
            "stopsignal": service.stop_signal,
            "stopwaitsecs": service.stop_timeout_seconds or settings.stack.stop_timeout_seconds,
            "killasgroup": "true",
            "stdout_logfile": paths.log_of(service.name),
            "redirect_stderr": "true",
            **log_rotation,
        }
    config[f"program:{WATCHDOG}"] = {
        "command": f'"{MAIN_PYTHON}" -m stack.watchdog',
        "autostart": "false",
        "autorestart": "true",
        "startretries": START_RETRIES,
        # It has a child that stands by.
        "stopasgroup": "true",
        "killasgroup": "true",
        "stdout_logfile": paths.log_of(WATCHDOG),
        "redirect_stderr": "true",
        **log_rotation,
    }
    return "\n".join(
        f"[{section}]\n" + "".join(f"{key}={_escaped(value)}\n" for key, value in options.items())
        for section, options in config.items()
    )


def _escaped(value: object) -> str:
    """`%` begins an expansion in the supervisor's configuration."""
    return str(value).replace("%", "%%")


class Supervisor:
    """The supervisor of one stack, whether it runs or not."""

    def __init__(self, paths: StackPaths) -> None:
        self._paths = paths

    @property
    def paths(self) -> StackPaths:
        """The files of its stack."""
        return self._paths

    def recorded_pid(self) -> int | None:
        """The process id that it wrote at its start; None if it has ended in order since."""
        try:
            return int((self._paths.run / PID_FILE).read_text())
        except (FileNotFoundError, ValueError):
            return None

    def is_running(self) -> bool:
        """Whether it answers on its socket."""
        try:
            self._call("getState")
        except ServiceUnavailableError:
            return False
        return True

    def start(self, environment: Mapping[str, str]) -> None:
        """Start it in the background, with no service running yet.

        Raises:
            SupervisorError: It does not come up; the end of its log is in the message.
        """
        command = (
            str(MAIN_PYTHON),
            "-m",
            "stack.supervisor_process",
            "-c",
            str(self._paths.supervisor_config),
        )
        finished = subprocess.run(
            command,
            env={**environment, **marks(self._paths.data)},
            cwd=PROJECT_ROOT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        began_at = time.monotonic()
        while finished.returncode == 0 and time.monotonic() - began_at < ANSWER_TIMEOUT_SECONDS * patience():
            if self.is_running():
                return
            time.sleep(0.05)
        reason = (finished.stderr or finished.stdout).strip() or "it does not answer"
        raise SupervisorError(
            f"The supervisor does not start: {reason}.",
            hint=f"Its log is {self._paths.log_of('supervisor')}.",
        )

    def processes(self) -> dict[str, ProcessInfo]:
        """Every process that it looks after, by name."""
        return {
            str(entry["name"]): ProcessInfo(
                state=int(entry["state"]),
                pid=int(entry["pid"]),
                started_at=int(entry["start"]),
                stopped_at=int(entry["stop"]),
                trouble=str(entry["spawnerr"]),
                exit_code=int(entry["exitstatus"]),
            )
            for entry in self._call("getAllProcessInfo")
        }

    def pid(self) -> int:
        """Its own process id."""
        return int(self._call("getPID"))

    def start_process(self, name: str) -> None:
        """Have a process started, without waiting; nothing happens if it runs."""
        self._call("startProcess", name, False, tolerated=Faults.ALREADY_STARTED)

    def stop_process(self, name: str) -> None:
        """Have a process stopped, without waiting; nothing happens if it does not run."""
        self._call("stopProcess", name, False, tolerated=Faults.NOT_RUNNING)

    def shutdown(self) -> None:
        """Have it stop what still runs, and end."""
        self._call("shutdown", tolerated=Faults.SHUTDOWN_STATE)

    def _call(self, method: str, *arguments: object, tolerated: int | None = None) -> Any:
        proxy = xmlrpc.client.ServerProxy(
            "http://localhost/RPC2", transport=_SocketTransport(self._paths.socket)
        )
        try:
            with proxy:
                return getattr(proxy.supervisor, method)(*arguments)
        except xmlrpc.client.Fault as fault:
            if fault.faultCode == tolerated:
                return None
            raise SupervisorError(
                f"The supervisor refuses {method}{arguments}: {fault.faultString}."
            ) from fault
        except (OSError, http.client.HTTPException, xmlrpc.client.Error) as error:
            raise ServiceUnavailableError(
                f"The supervisor does not answer on {self._paths.socket}: {error}.", hint="Run `make up`."
            ) from error


class _SocketTransport(xmlrpc.client.Transport):
    """XML-RPC over a unix socket, with a timeout: a supervisor that hangs must not hang its callers."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def make_connection(self, host: object) -> http.client.HTTPConnection:  # noqa: ARG002
        return _SocketConnection(self._path)


class _SocketConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=ANSWER_TIMEOUT_SECONDS * patience())
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))
