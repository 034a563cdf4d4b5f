"""Makes the alerting rules from the template and the thresholds."""

import re
from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import Final

import yaml

from clickstream.errors import ClickstreamError

_HERE: Final = Path(__file__).parent
ALERTS: Final = _HERE / "alerts.yaml"
TEMPLATE: Final = _HERE / "alerts.template.yaml"
THRESHOLDS: Final = _HERE / "thresholds.yaml"
RUNBOOK: Final = _HERE.parent / "RUNBOOK.md"

_HEAD: Final = "# Made by `python -m monitoring.alerts` from alerts.template.yaml and thresholds.yaml.\n"


class AlertTemplateError(ClickstreamError):
    """Template and thresholds don't fit together."""


class _PlainLines(yaml.SafeDumper):
    """Leaves long expressions on one line."""


def read_thresholds() -> Mapping[str, str]:
    """The thresholds as texts, by name."""
    loaded = yaml.load(THRESHOLDS.read_text(encoding="utf-8"), yaml.BaseLoader)  # noqa: S506 -- texts only
    return dict(loaded)


def render(changed: Mapping[str, str] | None = None) -> str:
    """The rules as Prometheus loads them.

    Args:
        changed: Thresholds that take the place of those in the file, as the drill shortens some.

    Raises:
        AlertTemplateError: The template names a threshold that does not exist, or leaves one unused.
    """
    thresholds = {**read_thresholds(), **(changed or {})}
    text = TEMPLATE.read_text(encoding="utf-8")
    used = set(re.findall(r"\$\{(\w+)\}", text))
    if used != thresholds.keys():
        raise AlertTemplateError(
            f"{TEMPLATE.name} and {THRESHOLDS.name} differ in {', '.join(sorted(used ^ thresholds.keys()))}.",
            hint="Each threshold is used by the template, and the template uses no other.",
        )
    rules = yaml.safe_load(Template(text).safe_substitute(thresholds))
    for group in rules["groups"]:
        for rule in group["rules"]:
            rule["annotations"]["runbook_url"] = f"monitoring/{RUNBOOK.name}#{rule['alert'].lower()}"
    return _HEAD + yaml.dump(rules, Dumper=_PlainLines, sort_keys=False, width=10_000, allow_unicode=True)
