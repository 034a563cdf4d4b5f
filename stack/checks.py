"""What must hold before services start; each failure says what to change."""

import shutil
from collections.abc import Sequence

from clickstream.errors import ClickstreamError
from clickstream.settings import Settings, env_file
from stack.env_file import variable_of
from stack.processes import described, holder_of, is_free
from stack.services import SERVICES, Service


class PortTakenError(ClickstreamError):
    """Something else listens where a service is to listen."""


class DiskFullError(ClickstreamError):
    """There is too little space for the data."""


def check_disk(settings: Settings) -> None:
    """Check that the data directory's disk has the free space that the settings ask for.

    Raises:
        DiskFullError: It has not.
    """
    free = shutil.disk_usage(settings.stack.data_path).free
    needed = settings.stack.min_free_disk_bytes
    if free < needed:
        raise DiskFullError(
            f"The disk of {settings.stack.data_path} has {free / 1e9:.1f} GB free, "
            f"and {needed / 1e9:.1f} GB are needed.",
            hint=f"Free some space, or set {variable_of('stack', 'data_dir')} to a place on another disk.",
        )


def check_ports(services: Sequence[Service], settings: Settings) -> None:
    """Check that the services' ports are free.

    Raises:
        PortTakenError: Some are not; names the holder of each and the setting that changes it.
        ClickstreamError: The services can't listen on that address at all.
    """
    taken = [service for service in services if not _can_listen(service, settings)]
    if not taken:
        return
    problems, assignments = [], []
    avoid = {service.port(settings) for service in SERVICES}
    for service in taken:
        port = service.port(settings)
        holder = holder_of(port)
        by = described(holder) if holder else "a process of another user"
        problems.append(f"Port {port}, which {service.name} is to listen on, is taken by {by}.")
        free = _next_free_port(service.listens_on(settings), port, avoid)
        avoid.add(free)
        assignments.append(f"{variable_of(*service.port_setting)}={free}")
    raise PortTakenError(
        "\n".join(problems), hint=f"Stop what holds it, or set {' and '.join(assignments)} in {env_file()}."
    )


def _can_listen(service: Service, settings: Settings) -> bool:
    port = service.port(settings)
    try:
        return is_free(service.listens_on(settings), port)
    except OSError as error:
        raise ClickstreamError(
            f"{service.name} can't listen on {service.listens_on(settings)}:{port}: {error.strerror}.",
            hint=f"Change {variable_of('stack', 'host')} or {variable_of(*service.port_setting)} "
            f"in {env_file()}.",
        ) from error


def _next_free_port(host: str, port: int, avoid: set[int]) -> int:
    return next(
        candidate
        for candidate in range(port + 1, 65536)
        if candidate not in avoid and is_free(host, candidate)
    )
