"""The dashboards of Grafana, drawn from Prometheus."""

import re
from datetime import datetime
from typing import Final

import streamlit as st

from clickstream.errors import ServiceUnavailableError
from clickstream.settings import get_settings
from control_panel import layout
from control_panel.clients.exporter import Component, components
from control_panel.clients.prometheus import (
    ALL_SERVICES,
    alerts,
    dashboards,
    panel_answers,
    seconds_since_last_metric,
    service_names,
)
from control_panel.clients.readings import Reading, read_all
from control_panel.pages import PageInfo, Section
from control_panel.panels import draw
from control_panel.text import age, duration
from monitoring.alerts.runbook import docker_equivalents, runbook_entry
from monitoring.grafana.reading import ROW, Dashboard, by_lines
from monitoring.prometheus_api import Alert
from stack.paths import StackPaths

PAGE = PageInfo("Monitoring", ":material/monitoring:", Section.SYSTEM, 9, "monitoring")

_ORDER: Final = ("components", "service", "pipeline", "infrastructure")
_MINUTES: Final = {"15 minutes": 15, "1 hour": 60, "6 hours": 360, "24 hours": 1440, "7 days": 10_080}
_OLD_SECONDS: Final = 90.0
"""Longer than any usual pause between two scrapes."""

_REFRESH: Final = {"10 s": 10, "30 s": 30, "off": None}


def render() -> None:
    """Draw the page."""
    layout.heading(
        PAGE, "Metrics of all services, from Prometheus. The question marks explain what is normal."
    )
    names = [name for name in _ORDER if name in dashboards()]
    _resolve_uid()
    columns = st.columns([3, 1, 1, 2], vertical_alignment="bottom")
    with columns[0]:
        name = st.segmented_control(
            "Dashboard",
            names,
            default=names[0],
            format_func=lambda one: dashboards()[one].title,
            key="dashboard",
            bind="query-params",
            label_visibility="collapsed",
            wrap=True,
        )
    minutes = columns[1].selectbox("Last", list(_MINUTES), index=1, key="last", bind="query-params")
    refresh = columns[2].selectbox("Refresh", list(_REFRESH), key="refresh")
    name = name or names[0]
    known = service_names(name).read().value or []
    chosen = columns[3].multiselect("Services", known, placeholder="All", key=f"services-{name}")
    service = "|".join(re.escape(one) for one in chosen) or ALL_SERVICES
    st.fragment(_show, run_every=_REFRESH[refresh])(name, _MINUTES[minutes], service)


def _resolve_uid() -> None:
    """Accept a dashboard's uid in the address, as links in the runbook and in Grafana have it."""
    asked = st.query_params.get("dashboard")
    for name, dashboard in dashboards().items():
        if dashboard.uid == asked:
            st.session_state["dashboard"] = name


def _show(name: str, minutes: int, service: str) -> None:
    reading = alerts().read()
    _show_alerts(reading)
    if isinstance(reading.problem, ServiceUnavailableError):
        # Each panel would say the same.
        return
    _warn_of_old_metrics()
    dashboard = dashboards()[name]
    questions = {
        panel.id: panel_answers(name, panel.id, minutes, service)
        for panel in dashboard.panels
        if panel.type != ROW
    }
    read_all(*questions.values(), wait_seconds=3)
    _show_panels(name, dashboard, minutes, service)


def _warn_of_old_metrics() -> None:
    seconds = seconds_since_last_metric().read().value or 0.0
    if seconds > _OLD_SECONDS:
        st.error(
            f"Prometheus has stored nothing for {duration(seconds)}, so figures and alerts on this page are "
            "that old. Usually its disk is full; its log says why.",
            icon=":material/history:",
        )


def _show_alerts(reading: Reading[list[Alert]]) -> None:
    found = layout.part(reading, "The alerts") or []
    firing = sorted((one for one in found if one.state == "firing"), key=_urgency)
    if reading.value is not None and not firing:
        st.success("No alert is firing.", icon=":material/check_circle:")
    state = components().read().value
    reasons = {one.name: _reason(one) for one in state.components} if state else {}
    for one in firing:
        show = st.error if one.labels.get("severity") == "critical" else st.warning
        summary, description = (
            layout.escape(one.annotations.get(part, "")) for part in ("summary", "description")
        )
        reason = reasons.get(one.labels.get("component", ""), "")
        show(
            f"**{layout.escape(one.name)}**: {summary}. {description}"
            + (f" Reason: {layout.escape(reason.rstrip('.'))}." if reason else "")
            + f" It began {age(datetime.fromisoformat(one.activeAt))}.",
            icon=":material/notifications_active:",
        )
    for name in dict.fromkeys(one.name for one in firing):
        if entry := runbook_entry(name):
            with st.expander(f"What to do about {name}", key=f"runbook-{name}", icon=":material/menu_book:"):
                st.markdown(linked(entry))
                if not StackPaths(get_settings().stack.data_path).supervisor_config.exists():
                    st.markdown(docker_equivalents(entry))


def linked(entry: str) -> str:
    """The runbook's entry with links to the dashboards that it names."""
    uids = {dashboard.title: dashboard.uid for dashboard in dashboards().values()}
    names = "|".join(map(re.escape, uids))
    return re.sub(
        rf"\*({names})\*", lambda found: f"[{found[1]}](/monitoring?dashboard={uids[found[1]]})", entry
    )


def _urgency(alert: Alert) -> tuple[bool, bool, str, str, str]:
    """Sorts critical alerts first; of those, components that are down, then the oldest."""
    labels = alert.labels
    is_critical, is_down = labels.get("severity") == "critical", alert.name == "ComponentDown"
    return not is_critical, not is_down, alert.activeAt, alert.name, labels.get("component", "")


def _reason(component: Component) -> str:
    """Why a component is not up; of one that is up again, why it failed the last time."""
    if component.state == "up":
        return component.last_failure_reason or ""
    return component.reason or f"it is {component.state}"


def _show_panels(name: str, dashboard: Dashboard, minutes: int, service: str) -> None:
    for line in by_lines(dashboard.panels):
        if line[0].type == ROW:
            st.subheader(line[0].title, anchor=False)
            continue
        rest = 24 - sum(panel.grid.w for panel in line)
        columns = st.columns([*(panel.grid.w for panel in line), *([rest] if rest else [])])
        for column, panel in zip(columns, line, strict=False):
            with column:
                reading = panel_answers(name, panel.id, minutes, service).reading()
                draw(panel, reading, key=f"{name}-{panel.id}")
