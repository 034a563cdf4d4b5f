"""The runbook's entries: what an alert means, what to look at, what to do."""

import re
from collections.abc import Mapping
from functools import cache

from monitoring.alerts.rules import RUNBOOK


@cache
def runbook_entry(alert: str) -> str:
    """The entry about an alert, as Markdown without its heading; empty if there is none."""
    return _text().partition(f"\n## {alert}\n")[2].partition("\n## ")[0].strip()


def docker_equivalents(entry: str) -> str:
    """What replaces the commands and settings of an entry with Docker, as a list in Markdown."""
    used = {name: instead for name, instead in _with_docker().items() if _is_used(name, entry)}
    return "\n".join(f"- `{name}` with Docker: {instead}" for name, instead in used.items())


@cache
def _with_docker() -> Mapping[str, str]:
    """The table at the top of the runbook: its code without Docker, and what is used instead."""
    top = _text().partition("\n## ")[0]
    return dict(re.findall(r"^\| `(.+?)`.* \| (.+) \|$", top, re.MULTILINE))


def _is_used(name: str, entry: str) -> bool:
    """Whether an entry uses a command, whatever follows its first words, or a setting."""
    command = name.rpartition(" ")[0] if name.startswith("clickstream ") else name.partition(" SERVICE=")[0]
    return re.search(rf"`{re.escape(command)}\b", entry) is not None


def _text() -> str:
    return f"\n{RUNBOOK.read_text(encoding='utf-8')}"
