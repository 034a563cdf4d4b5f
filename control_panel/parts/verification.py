"""Compare the marts with answer keys."""

from pathlib import Path
from typing import Final

import msgspec
import streamlit as st

from clickstream.errors import BadInputError
from clickstream.settings import PROJECT_ROOT, get_settings
from control_panel import jobs, layout
from control_panel.jobs import Job, JobStatus
from control_panel.parts.job_view import follow, show_jobs
from control_panel.session import is_operator, require_operator
from control_panel.work import DIFFERENCES_FILE, EVENTS_FILE, GENERATE, RESULT_FILE, VERIFY, VerifyResult
from generator.plan import DatasetFiles

_LIVE_SECONDS: Final = 2


def show() -> None:
    """Draw the part."""
    st.markdown(
        "An answer key holds every metric of a generated file, computed independently of the pipeline. The "
        "whole warehouse is compared, so choose the keys of **everything** that was loaded; several keys are "
        "added up."
    )
    if is_operator():
        _show_form()
    else:
        layout.operators_only("verify the marts")
    _show_results()


def _show_form() -> None:
    keys = _known_keys()
    with st.form("verify"):
        chosen = st.multiselect("Answer keys", list(keys), placeholder="Choose one or several")
        other = st.text_input("Another key", placeholder="a path, such as data/sample_events.key.json")
        if not st.form_submit_button("Verify", type="primary", icon=":material/fact_check:"):
            return

    def begin() -> Job:
        account = require_operator()
        paths = [keys[title] for title in chosen]
        if other.strip():
            paths.append(_existing(other.strip()))
        if not paths:
            raise BadInputError(
                "No answer key is chosen.", hint="Choose one from the list, or give its path."
            )
        title = "Verification against " + ", ".join([*chosen, *([other.strip()] if other.strip() else [])])
        return jobs.start_job(VERIFY, title, {"keys": [str(path) for path in paths]}, account.name)

    if (job := layout.attempt(begin)) is not None:
        follow(job)


def _known_keys() -> dict[str, Path]:
    """The keys of files that were written here, and that of the demo."""
    found = {}
    for job in jobs.list_jobs(GENERATE):
        key = DatasetFiles.beside(job.folder / EVENTS_FILE).key
        if job.state.status is JobStatus.DONE and key.exists():
            found[f"{job.request.title} ({job.id[:4]})"] = key
    demo = get_settings().stack.data_path / "demo" / "all.key.json"
    return found | ({"everything that make demo has sent": demo} if demo.exists() else {})


def _existing(path: str) -> Path:
    full = (PROJECT_ROOT / Path(path).expanduser()).resolve()
    if not full.is_file():
        raise BadInputError(
            f"There is no file {path!r}.", hint="The generator writes each key beside its file."
        )
    return full


@st.fragment(run_every=_LIVE_SECONDS)
def _show_results() -> None:
    st.subheader("Verifications", anchor=False)
    show_jobs(VERIFY, "/generators?part=Verify", _show_result, "Nothing has been verified yet.")


def _show_result(job: Job) -> None:
    path = job.folder / RESULT_FILE
    if not path.exists():
        return
    result = msgspec.json.decode(path.read_bytes(), type=VerifyResult)
    with st.expander("Views", expanded=bool(result.differences)):
        st.dataframe(
            [
                {
                    "View": view.name,
                    "Rows of the key": view.rows,
                    "Rows that differ": view.differences,
                    "Result": "equal" if not view.differences else "differs",
                }
                for view in result.views
            ],
            hide_index=True,
            alt="Each view with the number of rows that differ from the key",
        )
        if result.differences:
            st.markdown("**Differences**")
            st.dataframe(
                [
                    {
                        "View": row.view,
                        "Row": row.row,
                        "Expected": row.expected or "no such row",
                        "Found": row.found or "no such row",
                    }
                    for row in result.differences
                ],
                hide_index=True,
                alt="Rows that differ, with what the key expects and what was found",
            )
            st.markdown(f"[Download the differences](/files/jobs/{job.id}/{DIFFERENCES_FILE})")
