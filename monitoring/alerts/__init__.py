"""The alerts: a template and one file of thresholds; from both come the rules that Prometheus loads."""
