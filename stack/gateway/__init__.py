"""The ClickHouse gateway: one process that owns a chDB data directory and speaks ClickHouse's HTTP."""
