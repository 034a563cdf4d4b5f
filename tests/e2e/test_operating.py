"""The commands of docs/operating.md and docs/upgrading.md, in a checkout of their own, in their order."""

import json
import os
import re
import subprocess
from collections.abc import Iterator, Sequence
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

from clickstream.settings import PROJECT_ROOT
from stack.env_file import variable_of
from stack.processes import reserved_ports
from stack.services import SERVICES

PORTS = [setting for service in SERVICES for setting in service.port_settings()]
LOAD = (
    "from pathlib import Path; from tests.integration.etl.pipelines import load, run; "
    "load(Path('data/sample_events.csv')); run()"
)
"""Load and process the sample as Mage's blocks do, without Mage."""

BACKUP = "/tmp/clickstream-backup.tar.gz"


def commands(page: str) -> list[str]:
    text = (PROJECT_ROOT / "docs" / f"{page}.md").read_text()
    blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line]


class Checkout:
    """A clone with settings of its own: free ports, and the services that these pages need."""

    def __init__(self, path: Path, ports: Sequence[int]) -> None:
        self.path = path
        subprocess.run(["git", "clone", "--quiet", PROJECT_ROOT, path], check=True)
        lines = [f"{variable_of(*name)}={port}" for name, port in zip(PORTS, ports, strict=True)]
        lines += [
            f"{variable_of('stack', 'name')}=operating",
            f"{variable_of('stack', 'services')}=clickhouse",
            f"{variable_of('stack', 'start_timeout_seconds')}=300",
        ]
        (path / ".env").write_text("\n".join(lines) + "\n")
        (path / ".env").chmod(0o600)
        for name in ("mage", "superset"):
            self._lend_environment(name)

    def _lend_environment(self, name: str) -> None:
        """Makes an environment that none of these services runs in look made, which saves a minute."""
        spec = spec_from_file_location(
            "bootstrap_of_the_checkout", self.path / "requirements" / "bootstrap.py"
        )
        assert spec is not None
        assert spec.loader is not None
        bootstrap = module_from_spec(spec)
        spec.loader.exec_module(bootstrap)
        environment: Path = bootstrap.environment_path(name)
        environment.mkdir()
        (environment / "bin").symlink_to(PROJECT_ROOT / environment.name / "bin")
        lock = self.path / "requirements" / f"{name}.txt"
        stamp = bootstrap.stamp_of(lock, self.path / "pyproject.toml")
        (environment / bootstrap.STAMP_NAME).write_text(stamp)

    def start(self) -> None:
        """As `make up` with all services, of which Mage creates the database."""
        self.must(
            "make up",
            '.venv/bin/python -c "from clickstream.etl.upgrade import *; '
            'from clickstream.settings import *; upgrade_warehouse(get_settings())"',
        )

    def asked(self, statement: str) -> list[int]:
        """The numbers of the one row that a statement gives."""
        done = self.run(f'.venv/bin/clickstream sql --json "{statement}"')
        assert done.returncode == 0, done.stderr
        [row] = json.loads(done.stdout)
        return [int(value) for value in row.values()]

    def counts(self, person: int) -> list[int]:
        """How many events are stored, and how many of them are the person's."""
        return self.asked(f"select count(), countIf(user_id = {person}) from events")

    def must(self, *several: str) -> None:
        """Run commands that must succeed."""
        assert several
        for command in several:
            done = self.run(command)
            assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        variables = {name: value for name, value in os.environ.items() if not name.startswith("CLICKSTREAM_")}
        return subprocess.run(
            ["/bin/sh", "-c", command.replace(BACKUP, str(self.path.parent / "backup.tar.gz"))],
            cwd=self.path,
            env=variables,
            capture_output=True,
            text=True,
            check=False,
            timeout=500,
        )


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    with reserved_ports("127.0.0.1", len(PORTS)) as ports:
        made = Checkout(tmp_path_factory.mktemp("operating") / "checkout", ports)
        made.start()
        yield made
        made.run("make down")


def position_of(start: str, among: list[str]) -> int:
    return next(index for index, command in enumerate(among) if command.startswith(start))


def test_operating_keeps_every_event_and_a_backup_returns_nobody_who_was_erased(checkout: Checkout) -> None:
    found = commands("operating")
    [erased_list, backed_up] = (position_of(start, found) for start in ("cp var.before", "tar --create"))
    checkout.must(f'.venv/bin/python -c "{LOAD}"')
    [person] = checkout.asked(
        "select user_id from events group by user_id order by count() desc, user_id limit 1"
    )
    stored, theirs = checkout.counts(person)

    checkout.must(*found[: backed_up + 2])
    assert checkout.counts(person) == [stored, theirs]
    checkout.must(f".venv/bin/clickstream erase {person} --yes")
    assert checkout.counts(person) == [stored - theirs, 0]
    checkout.must(*found[backed_up + 2 : erased_list])
    assert checkout.counts(person) == [stored, theirs]
    checkout.must(*found[erased_list : erased_list + 3])
    assert checkout.counts(person) == [stored - theirs, 0]
    checkout.must(*found[erased_list + 3 :])
    assert not (checkout.path / "var").exists()
    checkout.start()


def test_the_commands_of_the_page_about_upgrading_do_what_it_says(checkout: Checkout) -> None:
    checkout.must(*commands("upgrading"))
