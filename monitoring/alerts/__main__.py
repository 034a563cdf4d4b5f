"""`python -m monitoring.alerts` writes alerts.yaml; run it after a change of the template or a threshold."""

from monitoring.alerts.rules import ALERTS, render

if __name__ == "__main__":
    ALERTS.write_text(render(), encoding="utf-8")
