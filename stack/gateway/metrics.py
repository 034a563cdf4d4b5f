"""The engine's metrics as a ClickHouse server gives them to Prometheus."""

import json
from typing import Final

from stack.gateway.engine import Engine

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=UTF-8"

# The names are those of a server's own endpoint, so dashboards and alerts made for one fit.
_STATEMENT: Final = """
SELECT concat('ClickHouseMetrics_', metric), toFloat64(value), description, 'gauge' FROM system.metrics
UNION ALL
SELECT concat('ClickHouseProfileEvents_', event), toFloat64(value), description, 'counter' FROM system.events
UNION ALL
SELECT concat('ClickHouseAsyncMetrics_', metric), value, description, 'gauge' FROM system.asynchronous_metrics
"""


def render_metrics(engine: Engine) -> str:
    """All metrics of the engine in Prometheus' text format."""
    lines: list[str] = []
    for name, value, description, kind in json.loads(engine.on_the_side(_STATEMENT))["data"]:
        if value is None:
            continue
        told = str(description).replace("\\", "\\\\").replace("\n", " ")
        plain = "".join(letter if letter.isalnum() and letter.isascii() else "_" for letter in str(name))
        number = f"{value:.0f}" if float(value).is_integer() else repr(value)
        lines += [f"# HELP {plain} {told}", f"# TYPE {plain} {kind}", f"{plain} {number}"]
    return "\n".join(lines) + "\n"
