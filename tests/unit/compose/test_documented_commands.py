"""Each documented `docker compose` command can be run: its options, its files and its services exist."""

import re
import shlex
import subprocess
from collections.abc import Mapping
from functools import cache
from typing import Any

import pytest

from clickstream.settings import PROJECT_ROOT
from tests.unit.compose.conftest import COMPOSE

PAGES = (
    *PROJECT_ROOT.glob("docs/*.md"),
    PROJECT_ROOT / "README.md",
    PROJECT_ROOT / "monitoring" / "RUNBOOK.md",
    *PROJECT_ROOT.glob("*compose*.yml"),
)
OF_ONE_SERVICE = {"exec", "run"}
OF_SERVICES = {"build", "logs", "pull", "up"}
NOT_IN_THE_FILE = {"secrets"}
"""Services of `compose/secrets.yml`."""


def documented() -> list[str]:
    """The commands, without what the shell adds to them."""
    found: set[str] = set()
    for page in PAGES:
        lines = page.read_text().replace("\\\n", " ")
        text = re.sub(r"\n#? *", " ", lines) if page.suffix == ".md" else lines
        found |= set(re.findall(r"(?<=`)docker compose [^`\n]+(?=`)", text))
        found |= set(re.findall(r"^[# ]*(docker compose [^\n#]+)", lines, re.MULTILINE))
    parts = {part.strip() for command in found for part in command.split("&&")}
    return sorted(part for part in parts if part.startswith("docker compose ") and "…" not in part)


@cache
def options(*subcommand: str) -> frozenset[str]:
    """The options that the command line knows."""
    done = subprocess.run([COMPOSE, *subcommand, "--help"], capture_output=True, text=True, check=True)
    return frozenset(re.findall(r"(?<![\w-])--?[A-Za-z][a-z-]*", done.stdout + done.stderr))


@pytest.mark.parametrize("command", documented())
def test_a_documented_command_exists(command: str, services: Mapping[str, Any]) -> None:
    words = shlex.split(command)[2:]
    while words[0].startswith("-"):
        assert words[0] in options()
        if words[0] == "-f":
            assert (PROJECT_ROOT / words[1]).is_file()
        words = words[2:]
    subcommand, *words = words
    known = options(subcommand)
    assert known, subcommand
    values = {"--volume": 1, "--entrypoint": 1, "--user": 1}
    while words and words[0].startswith("-"):
        assert words[0] in known, words[0]
        words = words[1 + values.get(words[0], 0) :]
    if subcommand in OF_ONE_SERVICE:
        assert words[0] in services.keys() | NOT_IN_THE_FILE
    if subcommand in OF_SERVICES:
        assert set(words) <= services.keys()


def test_the_pages_name_commands() -> None:
    assert len(documented()) > 10
