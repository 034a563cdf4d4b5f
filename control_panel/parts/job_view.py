"""How a job looks on a page: progress, cancel, and how it ended."""

from collections.abc import Callable

import streamlit as st

from control_panel import jobs, layout, text
from control_panel.jobs import Job, JobStatus
from control_panel.session import is_operator, require_operator

_STATUS_COLOURS = {
    JobStatus.RUNNING: "blue",
    JobStatus.DONE: "green",
    JobStatus.FAILED: "red",
    JobStatus.CANCELLED: "gray",
}


def show_jobs(kind: str, show_result: Callable[[Job], None], empty: str) -> None:
    """The jobs of a kind, the latest first, each with what came out of it.

    Args:
        kind: Which jobs.
        show_result: Draws the result of a job that is done.
        empty: Said where there are none yet.
    """
    found = jobs.list_jobs(kind)
    if not found:
        layout.empty(empty)
        return
    for job in found:
        with st.container(border=True):
            _show_job(job)
            if job.state.status is JobStatus.DONE:
                show_result(job)


def _show_job(job: Job) -> None:
    state, colour = job.state, _STATUS_COLOURS[job.state.status]
    st.markdown(f"**{layout.escape(job.request.title)}** :{colour}-badge[{state.status}]")
    st.caption(f"Asked for {text.age(job.request.asked_at)} by {layout.escape(job.request.asked_by)}.")
    if job.is_running:
        if state.total:
            share = min(1.0, state.done / state.total)
            st.progress(share, text=f"{state.done:,} of {state.total:,}")
        else:
            st.progress(0.0, text="At work …")
        if is_operator() and st.button("Cancel", key=f"cancel {job.id}", icon=":material/cancel:"):

            def cancel() -> None:
                require_operator()
                jobs.cancel_job(job.id)

            layout.attempt(cancel)
            st.rerun()
    elif state.status is JobStatus.FAILED:
        st.error(layout.escape(state.message), icon=":material/error:")
    else:
        st.markdown(layout.escape(state.message))
