"""Files that have arrived: what each is, and loading it."""

from typing import Final

import streamlit as st

from clickstream.loads.history import Load
from control_panel import jobs, layout, text, uploads
from control_panel.clients import loads, mage
from control_panel.clients.readings import act
from control_panel.jobs import Job, JobStatus
from control_panel.preview import LINES_JUDGED, Preview, begin_preview, preview_of, read_preview
from control_panel.session import require_operator
from control_panel.uploads import Upload

_LIVE_SECONDS: Final = 2


@st.fragment(run_every=_LIVE_SECONDS)
def show() -> None:
    """Draw the part."""
    found = uploads.list_uploads()
    if not found:
        return
    st.subheader("Files here", anchor=False)
    known = {load.sha256: load for load in loads.loads().read().value or ()}
    for upload in found:
        with st.container(border=True):
            _show_upload(upload, known)


def _show_upload(upload: Upload, known: dict[str, Load]) -> None:
    description = upload.description
    st.markdown(
        f"**{layout.escape(description.name)}** · {description.size_bytes / 1e6:,.1f} MB · "
        f"sent {text.age(description.begun_at)} by {layout.escape(description.begun_by)}"
    )
    if not upload.is_complete:
        st.progress(
            upload.received_bytes / description.size_bytes,
            text=f"{upload.received_bytes / 1e6:,.1f} MB have arrived. To go on after a break, open "
            f"[this address](?upload={upload.id}) and choose the same file.",
        )
        _show_remove(upload, "Cancel the upload")
        return
    job = preview_of(upload)
    if job is None or job.state.status in {JobStatus.CANCELLED}:
        if st.button("Look at it", key=f"look {upload.id}", icon=":material/search:"):
            layout.attempt(lambda: begin_preview(upload, require_operator().name))
        _show_remove(upload, "Delete the file")
    elif job.is_running:
        st.progress(0.0, text="Being looked at …")
        if st.button("Cancel", key=f"cancel {job.id}"):
            layout.attempt(lambda: _cancel(job))
    elif job.state.status is JobStatus.FAILED:
        st.error(layout.escape(job.state.message), icon=":material/error:")
        _show_remove(upload, "Delete the file")
    else:
        _show_preview(upload, read_preview(job), known)


def _cancel(job: Job) -> None:
    require_operator()
    jobs.cancel_job(job.id)


def _show_preview(upload: Upload, preview: Preview, known: dict[str, Load]) -> None:
    file = preview.file
    st.markdown(
        f"{preview.lines:,} lines of **{file.kind}** with {', '.join(file.recognised)}. "
        f"{_problems_in_words(preview)}"
    )
    for warning in file.warnings:
        st.warning(layout.escape(warning), icon=":material/warning:")
    with st.expander("First rows and problems", icon=":material/table_rows:"):
        rows = [dict(zip(file.columns, row, strict=False)) for row in preview.rows]
        st.dataframe(rows, hide_index=True, alt=f"First rows of {upload.description.name}")
        if preview.examples:
            st.dataframe(
                [
                    {
                        "Line": one.line,
                        "Code": one.code,
                        "Field": one.field,
                        "What is wrong": one.message,
                        "Event": "refused" if one.is_refused else "stored without the value",
                    }
                    for one in preview.examples
                ],
                hide_index=True,
                alt=f"First problems of {upload.description.name}",
            )
    load = known.get(file.sha256)
    _show_progress(upload, preview, load)
    with st.container(horizontal=True):
        label = "Load it" if load is None else "Load it again"
        if st.button(label, key=f"load {upload.id}", icon=":material/upload:", type="primary"):
            layout.attempt(lambda: _load(upload))
        _show_remove(upload, "Delete the file")


def _problems_in_words(preview: Preview) -> str:
    if not preview.codes:
        return f"No problems in the first {preview.judged:,} lines."
    codes = ", ".join(f"{code} {count:,}" for code, count in preview.codes.items())
    looked = f"Of the first {preview.judged:,} lines" if preview.judged >= LINES_JUDGED else "Of its lines"
    return f"{looked}, {preview.refused:,} would be refused ({codes})."


def _show_progress(upload: Upload, preview: Preview, load: Load | None) -> None:
    run_id = st.session_state.get(_run_key(upload))
    if run_id is None and load is None:
        return
    runs = mage.runs_of(loads.PIPELINE).read().value or ()
    run = next((one for one in runs if one.id == run_id), None)
    if run is not None and not run.ended:
        line = load.last_line if load else 0
        share = min(1.0, line / max(preview.lines, 1))
        st.progress(share, text=f"Loading: {line:,} of {preview.lines:,} lines. You can leave this page.")
    elif run is not None and str(run.status) == "failed":
        st.error("The load failed; the page Pipelines shows why. Load it again to go on.")
    elif load is not None:
        st.success(in_words(load), icon=":material/check:")


def in_words(load: Load) -> str:
    """What became of a file, in a sentence."""
    pending = f", {load.pending:,} waiting for the next run" if load.pending > 0 else ""
    return (
        f"Of {load.received:,} lines {load.stored:,} were added, {load.duplicate:,} were known already and "
        f"{load.quarantined:,} refused{pending}."
    )


def _load(upload: Upload) -> None:
    require_operator()
    run_id = act(lambda: loads.begin_load(str(upload.path)))
    if run_id is not None:
        st.session_state[_run_key(upload)] = run_id
    st.rerun(scope="fragment")


def _run_key(upload: Upload) -> str:
    return f"load of {upload.id}"


def _show_remove(upload: Upload, label: str) -> None:
    if st.button(label, key=f"remove {upload.id}", icon=":material/delete:"):

        def remove() -> None:
            require_operator()
            uploads.remove_upload(upload.id)

        layout.attempt(remove)
        st.rerun(scope="fragment")
