"""The metrics of the exporter."""

from typing import Final

from clickstream.metrics import counter, gauge

# The exporter itself.
PROBE_UP: Final = gauge(
    "clickstream_exporter_probe_up", "1 if the last look at this part of the system succeeded.", "probe"
)
PROBE_SECONDS: Final = gauge(
    "clickstream_exporter_probe_duration_seconds", "How long the last look took.", "probe"
)

# Components, as the watchdog sees them.
COMPONENT_UP: Final = gauge(
    "clickstream_component_up",
    "1 while the component does its work, as the watchdog last saw it.",
    "component",
)
COMPONENT_STATE: Final = gauge(
    "clickstream_component_state",
    "1 for the present state: starting, up, failing, restarting, stopped, or unknown where nobody reports.",
    "component",
    "state",
)
COMPONENT_SINCE: Final = gauge(
    "clickstream_component_state_since_timestamp_seconds",
    "When the component came into its present state.",
    "component",
)
COMPONENT_RESTARTS: Final = counter(
    "clickstream_component_restarts_total",
    "Restarts of the component since the stack was started, by the watchdog or because it ended.",
    "component",
)
COMPONENT_CPU: Final = counter(
    "clickstream_component_cpu_seconds_total",
    "CPU time of the component's process and its descendants.",
    "component",
)
COMPONENT_MEMORY: Final = gauge(
    "clickstream_component_memory_bytes",
    "Memory of the component's processes; pages that they share are counted once.",
    "component",
)
COMPONENT_LOG: Final = counter(
    "clickstream_component_log_bytes_total",
    "Size of the present log file; rotation resets it, which `rate()` takes for a restart.",
    "component",
)
DISK_FREE: Final = gauge(
    "clickstream_data_disk_free_bytes", "Free space of the disk on which the data directory lies."
)
DISK_SIZE: Final = gauge(
    "clickstream_data_disk_size_bytes", "Size of the disk on which the data directory lies."
)

# The broker.
BROKER_LAG: Final = gauge(
    "clickstream_broker_consumer_lag_records",
    "Records in the topic that are not in raw_events yet, as the broker counts them.",
    "topic",
    "partition",
)

# The warehouse.
TABLE_ROWS: Final = gauge("clickstream_warehouse_table_rows", "Rows of the table.", "table")
TABLE_BYTES: Final = gauge(
    "clickstream_warehouse_table_bytes", "Compressed bytes of the table's active parts.", "table"
)
TABLE_PARTS: Final = gauge(
    "clickstream_warehouse_table_parts",
    "Active parts of the table; many mean that merges lag behind.",
    "table",
)
RUNNING_QUERIES: Final = gauge("clickstream_warehouse_running_queries", "Statements that run right now.")
LEDGER: Final = gauge(
    "clickstream_warehouse_ledger_events",
    "Events by source and by what became of them; fate `received` counts them all.",
    "source",
    "fate",
)
UNACCOUNTED: Final = gauge(
    "clickstream_warehouse_unaccounted_events",
    "Events received less those that are accounted for; 0 unless something is lost or doubled.",
)
PENDING: Final = gauge("clickstream_warehouse_pending_events", "Events received but not processed yet.")
COMPLETE_THROUGH: Final = gauge(
    "clickstream_warehouse_complete_through_timestamp_seconds",
    "All that was received before this moment is in the marts.",
)
LAST_RECEIVED: Final = gauge(
    "clickstream_warehouse_last_received_timestamp_seconds", "When the last event was received."
)
QUARANTINED: Final = gauge(
    "clickstream_warehouse_quarantined_events",
    "Events in the quarantine by error code; an event with two codes counts under both.",
    "source",
    "code",
)
WARNINGS: Final = gauge(
    "clickstream_warehouse_event_warnings",
    "Stored events without an optional value that could not be used, by its field and error code.",
    "source",
    "field",
    "code",
)

# The pipelines.
ETL_RUNS: Final = counter("clickstream_etl_runs_total", "Runs by how they ended.", "pipeline", "status")
ETL_RUN_SECONDS: Final = counter(
    "clickstream_etl_run_seconds_total", "Time that ended runs took.", "pipeline", "status"
)
ETL_STEP_SECONDS: Final = counter(
    "clickstream_etl_step_seconds_total", "Time that the steps of runs took.", "pipeline", "step"
)
ETL_ROWS: Final = counter(
    "clickstream_etl_rows_total", "Rows of successful runs by what became of them.", "pipeline", "outcome"
)
ETL_LAST: Final = gauge(
    "clickstream_etl_last_run_timestamp_seconds",
    "When the last run with this status ended, or started where it has not ended.",
    "pipeline",
    "status",
)
