"""Is everything well, and what is happening right now?"""

from datetime import UTC, datetime
from typing import Any, Final, TypeVar

import pyarrow as pa
import pyarrow.compute as pc
import streamlit as st

from clickstream.storage.runs import RunRecord, RunStatus
from control_panel import charts, layout, tables, text, verdict
from control_panel.clients import system
from control_panel.clients.addresses import service_links
from control_panel.clients.exporter import Component, components
from control_panel.clients.readings import Reading, read_all
from control_panel.pages import PageInfo, Section

T = TypeVar("T")

PAGE = PageInfo("Overview", ":material/monitor_heart:", Section.SYSTEM, 1, "overview", is_start=True)

_LIVE_SECONDS: Final = 5
_COMPONENTS_SECONDS: Final = 10
_COUNTS_SECONDS: Final = 10
"""Each part of the page is drawn as often as its content changes, so that an open page costs little."""

_OUTAGES: Final = "outages in the verdict"
"""In the session: what the verdict, as it was drawn last, knows of services that do not answer."""

_STATE_COLOURS: Final = {"up": "green", "starting": "blue", "restarting": "orange", "stopped": "gray"}
_COUNT_NAMES: Final = {
    "source": "Source",
    "received": "Received",
    "stored": "Stored",
    "duplicate": "Duplicates",
    "quarantined": "Quarantined",
    "pending": "Pending",
    "erased": "Erased",
    "open": "Not repaired",
}
_COUNT_HELP: Final = (
    "Pending events were received, but not processed yet. Quarantined counts all refused events, also those "
    "that were repaired and replayed; a replay has a row of its own. Not repaired counts those that were not "
    "replayed."
)


def render() -> None:
    """Draw the page."""
    layout.heading(
        PAGE, "Shows whether everything is well and what is happening right now. The page updates by itself."
    )
    _show_live()
    _show_counts()
    _show_components()
    _show_links()


@st.fragment(run_every=_LIVE_SECONDS)
def _show_live() -> None:
    read_all(components(), system.arrivals(), system.completeness(), system.runs())
    st.session_state[_OUTAGES] = _outages()
    is_empty = system.completeness().reading().value is False
    _show_verdict(is_empty=is_empty)
    if is_empty:
        # The first event must appear at once, and an empty system answers quickly.
        system.completeness.forget()
        layout.empty(
            "Nothing has been received yet. Start a live generator on the page [Generators](/generators), "
            "upload a file on the page [Upload CSV](/upload), or click around in the demo shop (see below).",
            ":material/waving_hand:",
        )
    else:
        _show_now()


@st.fragment(run_every=_COUNTS_SECONDS)
def _show_counts() -> None:
    read_all(system.completeness(), system.ledger(), system.active_users())
    if _outages() - st.session_state.get(_OUTAGES, frozenset()):
        # The verdict on top, which is drawn more often but not just now, must not say that all is well.
        st.rerun()
    if system.completeness().reading().value is not False:
        _show_users()
        _show_ledger()


def _shown() -> tuple[Reading[Any], ...]:
    """What the page shows besides the readings of the verdict itself."""
    return system.arrivals().reading(), system.ledger().reading(), system.active_users().reading()


def _outages() -> frozenset[str]:
    """What the parts of this page say about services that do not answer."""
    return frozenset(str(reading.problem) for reading in _shown() if reading.problem is not None)


def _show_verdict(*, is_empty: bool) -> None:
    readings = (components().reading(), system.completeness().reading(), system.runs().reading())
    if not verdict.is_known(*readings):
        st.info("Checking …", icon=":material/hourglass_empty:")
        return
    concerns = verdict.concerns(*readings, datetime.now(UTC), _shown())
    if not concerns:
        message = "Everything is well, and the system is empty." if is_empty else "Everything is well."
        st.success(f"**{message}**", icon=":material/check_circle:")
        return
    lines = [f"- {layout.escape(one.what)} {layout.escape(one.action)}" for one in concerns]
    things = "One thing needs" if len(concerns) == 1 else f"{len(concerns)} things need"
    st.error(f"**{things} attention.**\n" + "\n".join(lines), icon=":material/warning:")


def _show_now() -> None:
    state = layout.part(system.completeness().reading(), "How complete the numbers are")
    arrivals = _part(system.arrivals().reading(), "What arrives right now")
    now = datetime.now(UTC)
    with st.grid(min_column_width=150):
        if arrivals is not None:
            st.metric("Events per second now", text.number(round(arrivals.per_second, 1)), border=True)
        if isinstance(state, system.Completeness):
            # The arrivals are read more often.
            last_at = max(state.last_received_at, (arrivals and arrivals.last_at) or state.last_received_at)
            st.metric("Last event received", text.age(last_at, now), border=True)
            lag = (now - state.complete_through).total_seconds() if state.pending else 0.0
            st.metric(
                "Lag of the numbers",
                text.duration(lag) if state.pending else "none",
                border=True,
                help="Age of the oldest event that was received but has not been processed yet.",
            )
            st.metric(
                "Pending events",
                text.number(state.pending),
                border=True,
                help="Received, but not processed yet. The pipeline process_events takes them every minute.",
            )
        _show_last_run(system.runs().reading(), now)
    if arrivals is not None:
        present = _present(arrivals.table)
        # A single line has no legend.
        only = f": {present[0]}" if len(present) == 1 else ""
        st.subheader(f"Arriving events by source, per second{only}", anchor=False)
        charts.lines(
            arrivals.table,
            "at",
            present,
            names={},
            alt="Events that arrived in each second of the last five minutes, by source",
            key="arrivals",
            height=220,
        )


def _part(reading: Reading[T], what: str) -> T | None:
    """As `layout.part`, but an outage that the top of the page explains is not explained again."""
    problem, told = reading.problem, system.completeness().reading().problem
    if problem is not None and told is not None and str(problem) == str(told):
        st.caption(f":material/cloud_off: {what} can't be shown now, for the reason above.")
        return None
    return layout.part(reading, what)


def _present(table: pa.Table) -> list[str]:
    """The sources with events; all of them would be a legend longer than the chart."""
    found = [source for source in system.SOURCES if any(table[source].to_pylist())]
    return found or ["broker"]


def _show_last_run(reading: Reading[tuple[RunRecord, ...]], now: datetime) -> None:
    ended = [run for run in reading.value or () if run.finished_at and run.pipeline == verdict.PROCESSING]
    if not ended:
        st.metric("Last run of the ETL", "never", border=True)
        return
    run = ended[0]
    st.metric(
        "Last run of the ETL",
        text.age(run.finished_at, now),
        border=True,
        help=f"{run.status}, {text.duration(run.seconds)}, {run.rows_in:,} events: {run.message} Runs that "
        "find nothing to do are not counted here; the page Pipelines shows them.",
        delta=None if run.status is RunStatus.SUCCEEDED else "failed",
        delta_color="inverse",
    )


def _show_users() -> None:
    table = _part(system.active_users().reading(), "Active users")
    if table is None or not len(table):
        return
    st.subheader("Active users", anchor=False)
    # A day that is not over would look like a fall.
    full_days = table.filter(pc.field("date") < pa.scalar(datetime.now(UTC).date()))
    shown = full_days if len(full_days) else table
    last = shown.slice(len(shown) - 1).to_pylist()[0]
    st.caption(
        f"Up to {last['date']}, the last full day (UTC) with events, as on the dashboards."
        if len(full_days)
        else f"{last['date']} (UTC) so far; the day is not over yet."
    )
    left, right = st.columns([1, 3])
    with left:
        st.metric(f"Users on {last['date']} (DAU)", text.number(last["dau"]))
        st.metric("In the 7 days up to it (WAU)", text.number(last["wau"]))
        st.metric("In the 30 days up to it (MAU)", text.number(last["mau"]))
    with right:
        charts.lines(
            shown,
            "date",
            ["dau", "wau", "mau"],
            names={"dau": "DAU", "wau": "WAU", "mau": "MAU"},
            alt=f"Active users of 1, 7 and 30 days by day, up to {last['date']}",
            key="active users",
            height=240,
        )


def _show_ledger() -> None:
    st.subheader("Ledger", anchor=False)
    ledger = _part(system.ledger().reading(), "The ledger")
    reading = system.completeness().reading()
    state = reading.value
    if ledger is None:
        return
    if isinstance(state, system.Completeness):
        if state.unaccounted:
            st.error(
                f"The ledger does not balance: {state.unaccounted:+,} events.", icon=":material/balance:"
            )
            unbalanced = ledger.unbalanced()
            if unbalanced:
                st.dataframe(unbalanced, hide_index=True, alt="Rows of the ledger that do not balance")
        else:
            st.markdown(
                f":green-badge[:material/balance: balances] all {state.received:,} events are accounted for"
                f" (counted {text.age(reading.read_at)})"
            )
    today, all_days = st.tabs(["Received today", "All days"])
    for tab, day in ((today, datetime.now(UTC).date()), (all_days, None)):
        with tab:
            rows = ledger.by_source(day)
            if not rows:
                st.caption("Nothing was received today (UTC).")
                continue
            tables.counts(rows, "source", _COUNT_NAMES, alt="Counts of the ledger by source")
    st.caption(_COUNT_HELP)


@st.fragment(run_every=_COMPONENTS_SECONDS)
def _show_components() -> None:
    st.subheader("Components", anchor=False)
    found = layout.part(components().read(), "The state of the components")
    if found is None:
        return
    if not found.components:
        layout.empty("The services have not been checked yet; this takes some seconds after a start.")
        return
    # Two beside each other on a phone.
    with st.grid(min_column_width=160, gap="xsmall"):
        for component in found.components:
            _show_component(component)
    if found.checked_at is not None:
        st.caption(f"Checked {text.age(found.checked_at)}.")


def _show_component(component: Component) -> None:
    colour = _STATE_COLOURS.get(component.state, "red")
    with st.container(border=True):
        st.markdown(f"**{layout.escape(component.name)}** :{colour}-badge[{layout.escape(component.state)}]")
        details = [f"since {text.age(component.since)}".replace(" ago", "")] if component.since else []
        if component.restarts:
            details.append(f"{component.restarts} restarts")
        if component.reason:
            details.append(component.reason)
        elif component.last_failure_at and component.last_failure_reason:
            details.append(
                f"last failure {text.age(component.last_failure_at)}: {component.last_failure_reason}"
            )
        st.caption(layout.escape(", ".join(details) or "–"))


def _show_links() -> None:
    st.subheader("Go to", anchor=False)
    with st.grid(min_column_width=220):
        for link in service_links(layout.browser_host()):
            with st.container(border=True):
                st.markdown(f"**[{link.title}]({link.url})**")
                st.caption(link.purpose)
