"""Files that were uploaded: what each contains, and loading it."""

from typing import Final

import streamlit as st

from clickstream.loads.history import Load
from clickstream.mage_api import PipelineRun, RunStatus
from control_panel import confirmation, jobs, layout, text, uploads
from control_panel.clients import loads, mage
from control_panel.clients.readings import act
from control_panel.jobs import JobStatus
from control_panel.parts.load_history import refused_address, report_address
from control_panel.preview import LINES_JUDGED, Preview, begin_preview, preview_of, read_preview
from control_panel.session import require_operator
from control_panel.uploads import Upload

_LIVE_SECONDS: Final = 2
_FILE: Final = "file"
"""In the address, so that a load that is running can be left and found again."""


@st.fragment(run_every=_LIVE_SECONDS)
def show() -> None:
    """Draw the part."""
    asked = st.query_params.get(_FILE, "")
    found = sorted(uploads.list_uploads(), key=lambda upload: upload.id != asked)
    if asked and (not found or found[0].id != asked):
        layout.empty("The file that this address names is not here any more: it was deleted.")
    if not found:
        return
    st.subheader("Uploaded files", anchor=False)
    known = {load.sha256: load for load in loads.loads().read().value or ()}
    for upload in found:
        with st.container(border=True, key=f"uploaded-{upload.id}"):
            _show_upload(upload, known)


def _show_upload(upload: Upload, known: dict[str, Load]) -> None:
    description = upload.description
    st.markdown(
        f"**[{layout.escape(description.name)}](/upload?{_FILE}={upload.id})** · "
        f"{text.size(description.size_bytes)} · uploaded {text.age(description.begun_at)} by "
        f"{layout.escape(description.begun_by)}"
    )
    if not upload.is_complete:
        st.progress(
            upload.received_bytes / description.size_bytes,
            text=f"{text.size(upload.received_bytes)} have arrived. To continue after an interruption, open "
            f"[this address](/upload?upload={upload.id}) and choose the same file.",
        )
        _show_remove(upload)
        return
    job = preview_of(upload)
    if job is None or job.state.status is JobStatus.CANCELLED:
        with st.container(horizontal=True):
            if st.button("Inspect the file", key=f"look {upload.id}", icon=":material/search:"):
                _inspect(upload)
            _show_remove(upload)
    elif job.is_running:
        st.progress(0.0, text="The file is being inspected …")
        if st.button("Cancel", key=f"cancel {job.id}", icon=":material/cancel:"):
            layout.attempt(lambda: _cancel_job(job.id))
            st.rerun(scope="fragment")
    elif job.state.status is JobStatus.FAILED:
        st.error(layout.escape(job.state.message), icon=":material/error:")
        _show_remove(upload)
    else:
        _show_preview(upload, read_preview(job), known)


def _inspect(upload: Upload) -> None:
    if layout.attempt(lambda: begin_preview(upload, require_operator().name)) is not None:
        st.rerun(scope="fragment")


def _cancel_job(job_id: str) -> None:
    require_operator()
    jobs.cancel_job(job_id)


def _show_preview(upload: Upload, preview: Preview, known: dict[str, Load]) -> None:
    file = preview.file
    st.markdown(
        f"{preview.lines:,} lines of **{file.kind}** with {', '.join(file.recognised)}. "
        f"{problems_in_words(preview)}"
    )
    for warning in file.warnings:
        st.warning(layout.escape(warning), icon=":material/warning:")
    with st.expander(
        "First rows and problems", icon=":material/table_rows:", expanded=bool(preview.examples)
    ):
        _show_rows(upload, preview)
    load = known.get(file.sha256)
    run = _run_of(upload)
    _show_progress(preview, load, run)
    with st.container(horizontal=True):
        if run is not None and not run.ended:
            if st.button("Cancel the load", key=f"stop {upload.id}", icon=":material/cancel:"):
                layout.attempt(lambda: _cancel_load(run.id))
                st.rerun(scope="fragment")
            return
        label = "Load the file" if load is None else "Load it again"
        if st.button(
            label,
            key=f"load {upload.id}",
            icon=":material/upload:",
            type="primary" if load is None else "secondary",
        ):
            layout.attempt(lambda: _load(upload))
        _show_remove(upload, load)


def _show_rows(upload: Upload, preview: Preview) -> None:
    file = preview.file
    st.caption("The first rows as they were read")
    rows = [dict(zip(file.columns, row, strict=False)) for row in preview.rows]
    st.dataframe(rows, hide_index=True, alt=f"First rows of {upload.description.name}")
    if not preview.examples:
        return
    st.caption("The first lines with a problem")
    st.dataframe(
        [
            {
                "Line": one.line,
                "Field": one.field or "whole line",
                "What is wrong": one.message,
                "Code": one.code,
                "The event is": "refused" if one.is_refused else "stored without the value",
            }
            for one in preview.examples
        ],
        hide_index=True,
        alt=f"First problems of {upload.description.name}",
    )


def problems_in_words(preview: Preview) -> str:
    """What is wrong with the lines of a file, in sentences."""
    is_whole = preview.judged < LINES_JUDGED
    looked = "Of its lines" if is_whole else f"Of the first {preview.judged:,} lines"
    parts = []
    if preview.refused:
        several = "; some break several rules" if sum(preview.codes.values()) > preview.refused else ""
        parts.append(f"{preview.refused:,} would be refused ({_listed(preview.codes)}{several})")
    if preview.warned:
        parts.append(f"{preview.warned:,} would be stored without a value ({_listed(preview.warned_codes)})")
    if not parts:
        return "No problems." if is_whole else f"No problems in the first {preview.judged:,} lines."
    return f"{looked}, {' and '.join(parts)}."


def _listed(codes: dict[str, int]) -> str:
    return ", ".join(f"{code} {count:,}" for code, count in codes.items())


def _run_of(upload: Upload) -> PipelineRun | None:
    """The run that loads a file, or has loaded it; None if none was asked for, or if it is long ago."""
    request = uploads.load_of(upload)
    if request is None:
        return None
    runs = mage.runs_of(loads.PIPELINE).read().value or ()
    return next((run for run in runs if run.id == request.run_id), None)


def _show_progress(preview: Preview, load: Load | None, run: PipelineRun | None) -> None:
    line = load.last_line if load else 0
    if run is not None and not run.ended:
        if run.started_at is None:
            st.progress(0.0, text="Waiting for Mage to start the load. You can leave this page.")
            return
        received = load.received if load else 0
        share = min(1.0, received / max(preview.lines, 1))
        st.progress(share, text=f"Loading: {received:,} of {preview.lines:,} lines. You can leave this page.")
        return
    if run is not None and run.status is RunStatus.FAILED:
        _show_failure(run)
    elif run is not None and run.status is RunStatus.CANCELLED:
        st.warning(
            f"The load was cancelled after line {line:,}. What was loaded until then counts, each line once; "
            "load the file again to continue from there."
            if line
            else "The load was cancelled before the first line was loaded.",
            icon=":material/cancel:",
        )
    if load is not None:
        if load.pending > 0:
            st.info(in_words(load), icon=":material/hourglass_top:")
        else:
            st.success(in_words(load), icon=":material/check:")
        _show_links(load)
    elif run is not None and run.status is RunStatus.COMPLETED:
        st.success("The file was loaded.", icon=":material/check:")


def _show_failure(run: PipelineRun) -> None:
    failure = mage.failure_of(run).read().value
    reason = f": {failure[1][-1]}" if failure is not None and failure[1] else "."
    st.error(
        f"The load failed{layout.escape(reason)} [Its run]({mage.run_address(run)}) shows more. Load the "
        "file again to continue.",
        icon=":material/error:",
    )


def _show_links(load: Load) -> None:
    links = []
    if load.still_open:
        lines = "refused line" if load.still_open == 1 else "refused lines"
        links.append(f"[Repair the {load.still_open:,} {lines}]({refused_address(load.sha256)}).")
    if load.quarantined or load.duplicate or load.warned:
        links.append(f"[Download the report]({report_address(load)}): each line with a problem, as CSV.")
    if links:
        st.markdown(" ".join(links))


def in_words(load: Load) -> str:
    """What became of a file, in a sentence."""
    if load.pending >= load.received:
        return (
            f"All {load.received:,} lines are loaded. The next run of process_events, within about a minute, "
            "checks them and adds the valid ones to the numbers."
        )
    pending = f"; {load.pending:,} wait for the next run of process_events" if load.pending > 0 else ""
    other = f" ({load.other_content:,} of them with other content)" if load.other_content else ""
    still = f" ({load.still_open:,} of them still open)" if load.still_open < load.quarantined else ""
    return (
        f"Of {load.received:,} lines, {load.stored:,} were added, {load.duplicate:,} were duplicates{other} "
        f"and {load.quarantined:,} were refused{still}{pending}."
    )


def _load(upload: Upload) -> None:
    account = require_operator()
    # Noted in the background as well: Mage may answer later than this page waits.
    act(lambda: uploads.note_load(upload, loads.begin_load(str(upload.path)), account.name))
    st.query_params[_FILE] = upload.id
    st.rerun(scope="fragment")


def _cancel_load(run_id: int) -> None:
    require_operator()
    act(lambda: loads.cancel_load(run_id))


def _show_remove(upload: Upload, load: Load | None = None) -> None:
    arrived = text.size(upload.received_bytes)
    if not upload.is_complete:
        label, consequence = "Cancel the upload", f"Deletes the {arrived} that have arrived."
    elif load is None:
        label, consequence = "Delete the file", f"Deletes this copy ({arrived}), which has not been loaded."
    else:
        label = "Delete the file"
        consequence = f"Deletes this copy ({arrived}). The {load.received:,} lines that were loaded stay."
    key, icon = f"remove {upload.id}", ":material/delete:"
    if not confirmation.asked(label, f"{consequence} Your own file is not touched.", key=key, icon=icon):
        return

    def remove() -> bool:
        require_operator()
        uploads.remove_upload(upload.id)
        return True

    if layout.attempt(remove):
        st.query_params.pop(_FILE, None)
        st.rerun(scope="fragment")
