"""Monitoring: the exporter of the pipeline's metrics, alerts, dashboards and the drill that proves them."""
