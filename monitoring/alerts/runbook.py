"""The runbook's entries: what an alert means, what to look at, what to do."""

from functools import cache

from monitoring.alerts.rules import RUNBOOK


@cache
def runbook_entry(alert: str) -> str:
    """The entry about an alert, as Markdown without its heading; empty if there is none."""
    text = f"\n{RUNBOOK.read_text(encoding='utf-8')}"
    return text.partition(f"\n## {alert}\n")[2].partition("\n## ")[0].strip()
