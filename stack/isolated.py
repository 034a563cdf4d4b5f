"""A whole stack for a while, beside any other: what tests, benchmarks and experiments run against."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from clickstream.settings import get_settings
from stack.env_file import PREFIX, load_settings, variable_of
from stack.lifecycle import Stack
from stack.processes import reserved_ports
from stack.services import SERVICES

HOST: Final = "127.0.0.1"


@contextmanager
def isolated_stack(
    directory: Path, services: Sequence[str] = ("clickhouse",), overrides: Mapping[str, str] | None = None
) -> Iterator[Stack]:
    """Start a stack of its own on free ports, through the code that `make up` uses, and stop it at the end.

    While the block runs, `get_settings()` gives the stack's settings, in this process and, by way of
    `CLICKSTREAM_ENV_FILE`, in processes that it starts. Other `CLICKSTREAM_…` variables are put aside for
    that time, so that a developer's own settings do not leak in. Blocks may be nested.

        with isolated_stack(tmp_path, services=("clickhouse", "mage")) as stack:
            client = connect(stack.settings.clickhouse)

    Args:
        directory: An empty directory for the settings file and the data, which stay for a look at the logs.
        services: Names of the services to run; those that they depend on run too.
        overrides: More settings, by their environment variables.
    """
    env_path = directory / ".env"
    with (
        _own_ports() as ports,
        _settings_file(env_path, {**_basics(directory, services), **ports, **(overrides or {})}),
    ):
        stack = Stack(load_settings())
        try:
            stack.up()
            yield stack
        finally:
            stack.down()


def _basics(directory: Path, services: Sequence[str]) -> Mapping[str, str]:
    return {
        variable_of("stack", "name"): directory.name,
        variable_of("stack", "data_dir"): str(directory / "data"),
        variable_of("stack", "host"): HOST,
        variable_of("stack", "services"): ",".join(services),
        # Several of them may start at the same time on a machine that has enough to do already.
        variable_of("stack", "start_timeout_seconds"): "300",
    }


@contextmanager
def _own_ports() -> Iterator[Mapping[str, str]]:
    """A port for every service, also for those that don't run: nothing may reach another stack."""
    names = [variable_of(*setting) for service in SERVICES for setting in service.port_settings()]
    with reserved_ports(HOST, len(names)) as ports:
        yield dict(zip(names, map(str, ports), strict=True))


@contextmanager
def _settings_file(env_path: Path, variables: Mapping[str, str]) -> Iterator[None]:
    """Write the file, and let nothing else set anything."""
    env_path.write_text("".join(f"{name}={value}\n" for name, value in variables.items()), encoding="utf-8")
    env_path.chmod(0o600)
    aside = {name: value for name, value in os.environ.items() if name.startswith(PREFIX)}
    for name in aside:
        del os.environ[name]
    os.environ[f"{PREFIX}ENV_FILE"] = str(env_path)
    get_settings.cache_clear()
    try:
        yield
    finally:
        del os.environ[f"{PREFIX}ENV_FILE"]
        os.environ.update(aside)
        get_settings.cache_clear()
