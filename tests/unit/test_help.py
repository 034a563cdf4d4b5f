"""Each command, make target and setting shows how it is used."""

import re
from typing import Any

import pytest
import typer

from clickstream.cli.app import app as clickstream_app
from clickstream.settings import PROJECT_ROOT
from generator.cli import app as generator_app
from stack.cli import app as stack_app
from stack.env_file import SettingEntry, setting_entries

APPS = {"clickstream": clickstream_app, "generator": generator_app, "stack": stack_app}
EXAMPLE = re.compile(r"Examples?: (.+)", re.DOTALL)
MAKEFILE = (PROJECT_ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = re.findall(r"^([a-z-]+):[^#\n]*## (.*)\n((?:\t.*\n)*)", MAKEFILE, re.MULTILINE)
OF_MAKE = {"MAKE", "RUN", "DASHBOARDS", "BOOTSTRAP", "CODE", "IMAGE_LOCK", "PYTHON"}
"""Variables that the Makefile sets itself."""


def helps(name: str, command: Any) -> list[tuple[str, str]]:
    """The full name and the help of every command that is shown."""
    if (commands := getattr(command, "commands", None)) is not None:
        return [found for part, inner in commands.items() for found in helps(f"{name} {part}", inner)]
    return [] if command.hidden else [(name, command.help or "")]


HELPS = [found for name, app in APPS.items() for found in helps(name, typer.main.get_command(app))]


@pytest.mark.parametrize(("name", "text"), [pytest.param(*found, id=found[0]) for found in HELPS])
def test_the_help_of_a_command_shows_an_example_of_it(name: str, text: str) -> None:
    example = EXAMPLE.search(text)
    assert example, "no example"
    is_of_stack = name.startswith("stack ")
    used = f"make {name.rsplit(maxsplit=1)[-1]}|python -m {name}" if is_of_stack else re.escape(name)
    assert re.search(used, " ".join(example[1].split()))


@pytest.mark.parametrize(("target", "shown", "recipe"), [pytest.param(*one, id=one[0]) for one in TARGETS])
def test_the_help_of_a_target_shows_a_value_for_each_variable(target: str, shown: str, recipe: str) -> None:
    variables = set(re.findall(r"\$\((?:if \$\()?([A-Z_]+)", recipe)) - OF_MAKE
    assert {name for name in variables if f"{name}=" not in shown} == set(), target


def test_uninstall_deletes_whatever_git_ignores() -> None:
    """What is ignored is what is written here; the stack deletes its data and its settings itself."""
    ignored = (PROJECT_ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    written = {line.strip("/") for line in ignored if line and line[0] not in "#!"} - {
        "var",
        ".env",
        ".env.*",
    }
    written = written - {".venv*"} | {".venv", ".venv-mage", ".venv-superset", ".venv-uv"}
    [recipe] = [recipe for target, _, recipe in TARGETS if target == "uninstall"]

    assert {name for name in written if name not in recipe.split()} == set()


@pytest.mark.parametrize(
    "entry",
    [pytest.param(entry, id=entry.variable) for entry in setting_entries() if entry.default == ""],
)
def test_a_setting_that_is_empty_says_what_it_may_be(entry: SettingEntry) -> None:
    assert re.search(r"such as|`host:port`|`\*\.shop\.example`", entry.description), entry.description
