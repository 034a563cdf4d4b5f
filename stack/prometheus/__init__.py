"""Prometheus and node exporter as services of the stack: how they are installed, configured and started."""
