"""The engine's metrics as a ClickHouse server gives them to Prometheus.

Names and forms are those of a server's own endpoint, so dashboards and alerts made for one fit. The embedded
engine has no table of asynchronous metrics, so the most important ones are taken here, under those names.
"""

import json
import os
from pathlib import Path
from typing import Final

from stack.gateway.engine import Engine

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=UTF-8"

_STATEMENT: Final = """
SELECT concat('ClickHouseMetrics_', metric), toFloat64(value), description, 'gauge' FROM system.metrics
UNION ALL
SELECT concat('ClickHouseProfileEvents_', event), toFloat64(value), description, 'counter' FROM system.events
UNION ALL
WITH
    (
        SELECT (max(parts), count(), sum(parts), sum(rows), sum(bytes))
        FROM
        (
            SELECT count() AS parts, sum(rows) AS rows, sum(bytes_on_disk) AS bytes
            FROM system.parts
            WHERE active
            GROUP BY database, table, partition_id
        )
    ) AS totals,
    [
        ('Uptime', toFloat64(uptime()), 'The uptime of the server in seconds.'),
        ('MaxPartCountForPartition', toFloat64(totals.1), 'Most parts of a partition of any table.'),
        ('TotalPartsOfMergeTreeTables', toFloat64(totals.3), 'Active parts of all tables.'),
        ('TotalRowsOfMergeTreeTables', toFloat64(totals.4), 'Rows of all tables.'),
        ('TotalBytesOfMergeTreeTables', toFloat64(totals.5), 'Bytes of all tables on disk.')
    ] AS metrics,
    arrayJoin(metrics) AS metric
SELECT concat('ClickHouseAsyncMetrics_', metric.1), metric.2, metric.3, 'gauge'
"""


def render_metrics(engine: Engine) -> str:
    """All metrics of the engine in Prometheus' text format."""
    rows = json.loads(engine.on_the_side(_STATEMENT))["data"]
    rows.append(
        [
            "ClickHouseAsyncMetrics_MemoryResident",
            _resident_bytes(),
            "The amount of physical memory used by the server process, in bytes.",
            "gauge",
        ]
    )
    lines: list[str] = []
    for name, value, description, kind in rows:
        told = str(description).replace("\\", "\\\\").replace("\n", " ")
        plain = "".join(letter if letter.isalnum() and letter.isascii() else "_" for letter in str(name))
        number = f"{value:.0f}" if float(value).is_integer() else repr(float(value))
        lines += [f"# HELP {plain} {told}", f"# TYPE {plain} {kind}", f"{plain} {number}"]
    return "\n".join(lines) + "\n"


def _resident_bytes() -> int:
    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")
