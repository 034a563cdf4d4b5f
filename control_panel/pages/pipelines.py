"""Mage's pipelines: what they do, how their runs went, and running one now."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import streamlit as st

from clickstream.errors import BadInputError
from clickstream.mage_api import PipelineRun, RunStatus
from control_panel import confirmation, layout, text
from control_panel.clients import mage, system
from control_panel.clients.addresses import editor_url
from control_panel.clients.readings import act, read_all
from control_panel.layout import browser_host
from control_panel.pages import PageInfo, Section
from control_panel.session import is_operator, require_operator

PAGE = PageInfo("Pipelines", ":material/account_tree:", Section.SYSTEM, 3, "pipelines")

_LIVE_SECONDS: Final = 3
_STATUS_NAMES: Final = {
    RunStatus.INITIAL: "waiting",
    RunStatus.QUEUED: "waiting",
    RunStatus.RUNNING: "running",
    RunStatus.COMPLETED: "completed",
    RunStatus.FAILED: "failed",
    RunStatus.UPSTREAM_FAILED: "not run",
    RunStatus.CONDITION_FAILED: "not run",
    RunStatus.CANCELLED: "cancelled",
}
_STATUS_COLOURS: Final = {"completed": "green", "failed": "red", "running": "blue"}
_INTERVALS: Final = {"* * * * *": "every minute", "17 * * * *": "every hour, at minute 17"}
_FIRST: Final = ("process_events", "load_csv", "stream_events", "rebuild_marts", "replay_quarantine")
_WHILE_PAUSED: Final = {
    "process_events": "Until then events are received and kept, but they wait, and the numbers stand still.",
}
_STREAMING: Final = "streaming"
_RUN: Final = "run"
"""In the address: the run whose details are shown."""


def render() -> None:
    """Draw the page."""
    layout.heading(PAGE, "The Mage pipelines that load, check and count events. The page updates by itself.")
    names = layout.page_part(mage.pipeline_names(), "The list of pipelines")
    if names is None:
        return
    ordered = [*(name for name in _FIRST if name in names), *(name for name in names if name not in _FIRST)]
    name = st.segmented_control(
        "Pipeline",
        ordered,
        default=ordered[0],
        required=True,
        key="pipeline",
        bind="query-params",
        label_visibility="collapsed",
    )
    if name in ordered:
        if st.session_state.setdefault("shown pipeline", name) != name:
            # The run of the address is one of the pipeline that was shown before.
            st.session_state["shown pipeline"] = name
            st.query_params.pop(_RUN, None)
        _show_pipeline(name)
        _show_runs(name)


def _show_pipeline(name: str) -> None:
    pipeline = layout.page_part(mage.pipeline(name), "The pipeline")
    if pipeline is None:
        return
    st.markdown(layout.escape(pipeline.description.replace("`", "")))
    st.mermaid_chart(
        _graph(pipeline), alt=f"Blocks of {name}: {', then '.join(b.name for b in pipeline.blocks)}"
    )
    left, middle, right = st.columns([2, 2, 1], vertical_alignment="bottom")
    with left:
        _show_schedule(pipeline)
    with middle:
        if pipeline.kind == _STREAMING:
            st.caption(
                "It runs all the time, as the service stream_events; the page Overview shows its state."
            )
        elif is_operator():
            _show_run_now(name)
        else:
            layout.operators_only("run pipelines and pause schedules")
    with right:
        st.markdown(f"[Open in the Mage editor]({editor_url(browser_host(), name)})")


def _graph(pipeline: mage.Pipeline) -> str:
    lines = ["flowchart LR"]
    lines += [f'  {block.name}["{block.name}"]' for block in pipeline.blocks]
    lines += [f"  {upstream} --> {block.name}" for block in pipeline.blocks for upstream in block.upstream]
    return "\n".join(lines)


def _show_schedule(pipeline: mage.Pipeline) -> None:
    schedule = pipeline.schedule
    if schedule is None:
        if pipeline.kind != _STREAMING:
            st.caption("It has no schedule and runs on request.")
        return
    interval = _INTERVALS.get(schedule.interval or "", schedule.interval or "")
    state = ":green-badge[active]" if schedule.is_active else ":orange-badge[paused]"
    following = f", next at {text.moment(schedule.next_run_at)}" if schedule.is_active else ""
    st.markdown(f"Schedule: {layout.escape(interval)} {state}{following}")
    if not is_operator():
        return
    if schedule.is_active:
        is_wanted = confirmation.asked(
            "Pause the schedule",
            f"`{pipeline.name}` will not start by itself until somebody resumes the schedule. "
            f"{_WHILE_PAUSED.get(pipeline.name, '')} A run that has started goes on.",
            key="pause",
            icon=":material/pause:",
        )
    else:
        is_wanted = st.button("Resume the schedule", icon=":material/play_arrow:")
    if not is_wanted:
        return

    def change() -> None:
        require_operator()
        act(lambda: mage.set_active(schedule, active=not schedule.is_active))

    layout.attempt(change)
    st.rerun()


def _show_run_now(name: str) -> None:
    popover = f"popover of {name}"

    def close() -> None:
        st.session_state[popover] = False

    with (
        st.popover("Run now …", icon=":material/play_circle:", key=popover, on_change="rerun"),
        st.form(f"run {name}", border=False),
    ):
        variables = _ask_for_variables(name)
        is_wanted = st.form_submit_button("Run now", type="primary", on_click=close)
    if not is_wanted:
        return

    # The result is shown below the popover, which would cover it.
    def run() -> str:
        require_operator()
        checked = _checked(variables)
        run_id = act(lambda: mage.run_now(name, checked))
        if run_id is None:
            return "A run was requested, but Mage is slow to answer. The run will appear below."
        # In the address, so that the run can be left and found again.
        st.query_params[_RUN] = str(run_id)
        return f"Run {run_id} was requested. It is followed below; you can leave this page."

    said = layout.attempt(run)
    if said is not None:
        st.success(said, icon=":material/check:")


def _ask_for_variables(name: str) -> dict[str, Any]:
    """The fields of a pipeline's variables, with what was entered."""
    if name == "rebuild_marts":
        st.caption("Rebuilds the marts of these days, both included. Without dates it rebuilds all days.")
        return {
            "from_date": st.date_input("First day (UTC)", value=None, format="YYYY-MM-DD"),
            "to_date": st.date_input("Last day (UTC)", value=None, format="YYYY-MM-DD"),
        }
    if name in {"load_csv", "replay_quarantine"}:
        st.caption("A file on the machine that runs the stack.")
        return {"path": st.text_input("Path of the CSV file", placeholder="data/sample_events.csv")}
    st.caption("It processes everything that is waiting; there is nothing to choose.")
    return {}


def _checked(variables: dict[str, Any]) -> dict[str, str]:
    """The variables as texts.

    Raises:
        BadInputError: They can't be used; says why.
    """
    if "path" in variables:
        path = Path(variables["path"].strip()).expanduser()
        if not variables["path"].strip() or not path.is_file():
            raise BadInputError(
                f"There is no file {str(path)!r} on the machine that runs the panel.",
                hint="Give the path of a CSV file, absolute or relative to the checkout.",
            )
        return {"path": str(path.resolve())}
    first, last = variables.get("from_date"), variables.get("to_date")
    if first and last and first > last:
        raise BadInputError(
            f"The first day, {first}, is after the last, {last}.",
            hint="Choose a last day that is not before the first.",
        )
    return {field: str(value or "") for field, value in variables.items()}


@st.fragment(run_every=_LIVE_SECONDS)
def _show_runs(name: str) -> None:
    questions = (mage.runs_of(name), system.runs())
    read_all(*questions)
    runs = layout.part(questions[0].reading(), "The runs")
    if runs is None:
        return
    st.subheader("Last runs", anchor=False)
    if not runs:
        starter = "you can with **Run now …** above" if is_operator() else "an operator can"
        layout.empty(
            f"This pipeline has not run yet. If it has a schedule, that starts it; otherwise {starter}."
        )
        return
    records = questions[1].reading().value or ()
    now = datetime.now(UTC)
    st.dataframe(
        [_row(run, mage.record_of(run, records), now) for run in runs],
        hide_index=True,
        placeholder="–",
        column_config={
            **{name: st.column_config.NumberColumn(format="localized") for name in ("Rows in", "Rows out")},
            "Seconds": st.column_config.NumberColumn(format="%.1f"),
        },
        alt=f"Last runs of {name}",
    )
    _show_run(_choose_run(name, runs), now)


def _choose_run(name: str, runs: tuple[PipelineRun, ...]) -> PipelineRun:
    """The run whose details are shown: the one of the address, else the latest."""
    by_id = {str(run.id): run for run in runs}
    asked, key = st.query_params.get(_RUN, ""), f"run of {name}"
    if asked in by_id and st.session_state.get(f"asked {key}") != asked:
        st.session_state[key] = st.session_state[f"asked {key}"] = asked
    chosen = st.selectbox(
        "Details of run",
        list(by_id),
        # A selectbox knows its options by their titles, so the title of a run must not change with its state.
        format_func=lambda run_id: f"Run {run_id}",
        key=key,
    )
    if chosen in by_id and asked:
        st.query_params[_RUN] = st.session_state[f"asked {key}"] = chosen
    return by_id.get(chosen, runs[0])


def _row(run: PipelineRun, record: Any, now: datetime) -> dict[str, Any]:
    seconds = mage.seconds_of(run, now)
    return {
        "Run": run.id,
        "Status": _name(run),
        "Started (UTC)": text.moment(run.started_at).removesuffix(" UTC"),
        "Seconds": seconds,
        "Rows in": record.rows_in if record else None,
        "Rows out": record.stored if record else None,
        "What it did": record.message if record else "",
    }


def _name(run: PipelineRun) -> str:
    return _STATUS_NAMES[run.status]


def _show_run(run: PipelineRun, now: datetime) -> None:
    if run.status is RunStatus.FAILED:
        failure = layout.part(mage.failure_of(run).read(), "The error")
        if failure is not None and failure[0]:
            st.error(f"It failed in the block {layout.escape(failure[0])}.", icon=":material/error:")
            st.code("\n".join(failure[1]), language=None, wrap_lines=True)
    if not run.blocks:
        st.caption("The run has not started yet.")
        return
    longest = max([mage.seconds_of(block, now) or 0.0 for block in run.blocks] + [0.1])
    st.dataframe(
        [
            {
                "Block": block.name,
                "Status": _STATUS_NAMES[block.status],
                "Duration in seconds": mage.seconds_of(block, now),
            }
            for block in run.blocks
        ],
        hide_index=True,
        placeholder="–",
        column_config={
            "Duration in seconds": st.column_config.ProgressColumn(
                format="%.1f s", min_value=0.0, max_value=longest
            )
        },
        alt=f"Blocks of run {run.id} with their durations",
    )
