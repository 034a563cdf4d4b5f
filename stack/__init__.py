"""The stack without Docker: its services, started, watched, restarted and stopped on one machine.

`services.py` declares what runs, `lifecycle.py` starts and stops it, `watchdog.py` restarts what hangs,
`cli.py` is what `make up` and its like call. `gateway/` is the ClickHouse engine behind its HTTP interface.
"""
