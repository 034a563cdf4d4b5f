"""How a job looks on a page: progress, cancel, and how it ended."""

from collections.abc import Callable

import streamlit as st

from control_panel import jobs, layout, text
from control_panel.jobs import Job, JobStatus
from control_panel.session import is_operator, require_operator

_JOB = "job"
"""In the address."""

_STATUS_COLOURS = {
    JobStatus.RUNNING: "blue",
    JobStatus.DONE: "green",
    JobStatus.FAILED: "red",
    JobStatus.CANCELLED: "gray",
}


def follow(job: Job) -> None:
    """Put a job into the address, so that it can be left and found again."""
    st.query_params[_JOB] = job.id


def show_jobs(kind: str, address: str, show_result: Callable[[Job], None], empty: str) -> None:
    """The jobs of a kind, the one that the address names first, then the latest.

    Args:
        kind: Which jobs.
        address: The address of the page that shows them.
        show_result: Draws the result of a job that is done.
        empty: What to say while there are no jobs.
    """
    asked = st.query_params.get(_JOB, "")
    found = sorted(jobs.list_jobs(kind), key=lambda job: job.id != asked)
    if asked and (not found or found[0].id != asked):
        layout.empty("The job that this address names is not kept any more; newer ones have replaced it.")
    if not found:
        layout.empty(empty)
        return
    for job in found:
        with st.container(border=True):
            _show_job(job, f"{address}&{_JOB}={job.id}")
            if job.state.status is JobStatus.DONE:
                show_result(job)


def _show_job(job: Job, address: str) -> None:
    state, colour = job.state, _STATUS_COLOURS[job.state.status]
    st.markdown(f"**[{layout.escape(job.request.title)}]({address})** :{colour}-badge[{state.status}]")
    st.caption(f"Started {text.age(job.request.asked_at)} by {layout.escape(job.request.asked_by)}.")
    if job.is_running:
        if state.total:
            share = min(1.0, state.done / state.total)
            st.progress(share, text=f"{state.done:,} of {state.total:,}. You can leave this page.")
        else:
            st.progress(0.0, text="Running … You can leave this page.")
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
