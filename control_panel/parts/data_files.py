"""Files of events with their answer keys: write, download, load."""

from datetime import UTC, date, datetime, timedelta
from typing import Final

import streamlit as st

from control_panel import jobs, layout, text
from control_panel.clients import mage
from control_panel.clients.readings import act
from control_panel.jobs import Job
from control_panel.parts.job_view import follow, show_jobs
from control_panel.session import is_operator, require_operator
from control_panel.work import EVENTS_FILE, GENERATE
from generator.plan import DatasetFiles, Plan

_LIVE_SECONDS: Final = 2
_MAX_EVENTS: Final = 20_000_000
_LOAD: Final = "load_csv"


def show() -> None:
    """Draw the part."""
    if is_operator():
        _show_form()
    else:
        layout.operators_only("write and load files")
    _show_files()


def _show_form() -> None:
    with (
        st.expander("Write a file", icon=":material/note_add:", expanded=True),
        st.form("write", border=False),
    ):
        first, second, third = st.columns(3)
        with first:
            events = st.number_input(
                "Events", value=100_000, min_value=100, max_value=_MAX_EVENTS, step=10_000, format="%d"
            )
            seed = st.number_input(
                "Seed", value=Plan.seed, step=1, help="The same seed gives the same bytes."
            )
        with second:
            days = st.number_input("Days", value=Plan.days, min_value=1, max_value=3_650)
            until = st.date_input("Last day (UTC)", value=_yesterday(), max_value=_yesterday())
        with third:
            faults = st.number_input("Faults, %", value=1.0, min_value=0.0, max_value=50.0)
            duplicates = st.number_input("Duplicates, %", value=2.0, min_value=0.0, max_value=40.0)
        if not st.form_submit_button("Write the file", type="primary", icon=":material/note_add:"):
            return

    def begin() -> Job:
        account = require_operator()
        last_day = until if isinstance(until, date) else _yesterday()
        plan = Plan(int(events), int(days), int(seed), faults / 100, duplicates / 100, last_day)
        plan.check(datetime.now(UTC).date())
        title = f"{plan.events:,} events over {plan.days} days until {plan.until}, seed {plan.seed}"
        return jobs.start_job(GENERATE, title, plan.parameters(), account.name)

    if (job := layout.attempt(begin)) is not None:
        follow(job)


def _yesterday() -> date:
    return (datetime.now(UTC) - timedelta(days=1)).date()


@st.fragment(run_every=_LIVE_SECONDS)
def _show_files() -> None:
    st.subheader("Files", anchor=False)
    show_jobs(
        GENERATE,
        "/generators?part=Files",
        _show_result,
        "No file has been written yet." + (" Write one above." if is_operator() else ""),
    )


def _show_result(job: Job) -> None:
    files = DatasetFiles.beside(job.folder / EVENTS_FILE)
    address = f"/files/jobs/{job.id}"
    parts = [("events", files.events), ("answer key", files.key)]
    if is_operator():
        parts.insert(1, ("users", files.users))
    links = [
        f"[{name} ({text.size(path.stat().st_size)})]({address}/{path.name})"
        for name, path in parts
        if path.exists()
    ]
    st.markdown("Download: " + " · ".join(links))
    if is_operator() and st.button("Load it", key=f"load {job.id}", icon=":material/upload:"):

        def load() -> list[int]:
            require_operator()
            paths = (files.users, files.events)
            return act(lambda: [mage.run_now(_LOAD, {"path": str(path)}) for path in paths]) or []

        if (runs := layout.attempt(load)) is not None:
            followed = f"&run={runs[-1]}" if runs else ""
            st.success(
                "Users and events are being loaded; "
                f"[the page Pipelines](/pipelines?pipeline={_LOAD}{followed}) shows how far. Loading a file "
                "again adds nothing.",
                icon=":material/check:",
            )
