"""Find, export and erase a person, for operators."""

from typing import Any, Final

import msgspec
import streamlit as st

from clickstream.privacy.naming import parse_user_id
from clickstream.privacy.receipt import Receipt, describe_receipt, encode_receipt
from control_panel import layout, text
from control_panel.clients import privacy
from control_panel.clients.privacy import Job, Preview
from control_panel.pages import PageInfo, Section
from control_panel.session import is_operator, require_operator

PAGE = PageInfo("Privacy", ":material/shield_person:", Section.DATA, 6, "privacy")

_FIND: Final = "privacy_find"
_EXPORT: Final = "privacy_export"
_ERASE: Final = "erasure"
"""In the address, so that a running erasure is found again after the page was left; its id names nobody."""

_POLL_SECONDS: Final = 1
_FATES: Final = {
    "stored": "Stored events",
    "duplicate": "Duplicates",
    "quarantined": "Quarantined events",
    "pending": "Pending events",
}


def render() -> None:
    """Draw the page."""
    layout.heading(
        PAGE,
        "Everything stored about a person: export it as a file, or erase it from disk. Late events, replays "
        "and reloaded files do not bring an erased person back.",
    )
    if not is_operator():
        layout.empty("This page shows personal data. Sign in as an operator to use it.", ":material/lock:")
        return
    erasing = privacy.job(st.query_params.get(_ERASE, ""))
    if erasing is not None:
        _follow_erasure(erasing)
        return
    _ask_for_person()
    found = privacy.job(st.session_state.get(_FIND, ""))
    if found is not None:
        _show_person(found)
    _show_erasures()


def _ask_for_person() -> None:
    with st.form("person", border=False):
        typed = st.text_input("User id", placeholder="42", help="The user_id of the person's events.")
        is_asked = st.form_submit_button("Find", icon=":material/search:", type="primary")
    if is_asked and (user_id := layout.attempt(lambda: parse_user_id(typed))) is not None:
        require_operator()
        st.session_state[_FIND] = privacy.start_preview(user_id).id
        st.session_state.pop(_EXPORT, None)
        st.rerun()


def _show_person(found: Job) -> None:
    if not found.is_done:
        _wait(found, f"Reading all events for user {found.user_id} …")
        return
    preview: Preview | None = layout.attempt(found.result)
    if preview is None:
        return
    st.subheader(f"User {found.user_id}", anchor=False)
    if preview.holdings.is_empty and not preview.files:
        layout.empty("Nothing is stored about this person. Erasing them keeps later events out as well.")
    else:
        _show_holdings(preview)
    left, right = st.columns(2)
    with left:
        _offer_export(found.user_id)
    with right:
        _offer_erasure(found.user_id, preview)


def _show_holdings(preview: Preview) -> None:
    counts = preview.holdings.by_fate()
    with st.grid(min_column_width=150):
        for fate, title in _FATES.items():
            st.metric(title, text.number(counts[fate]), border=True)
        st.metric("Known in users", "yes" if preview.holdings.user else "no", border=True)
        st.metric("Days to rebuild", text.number(len(preview.holdings.days)), border=True)
    _show_remains(preview)


def _show_remains(preview: Preview) -> None:
    lines = [
        f"- The file `{file.path}` names the person in {file.lines:,} lines. Delete the file or these lines."
        for file in preview.files
    ]
    lines += [
        f"- {layout.escape(part.where)}: {layout.escape(part.what)}"
        + (f" Gone by {text.moment(part.until)}." if part.until else "")
        for part in preview.broker
    ]
    with st.expander("What an erasure does not remove", icon=":material/info:"):
        st.markdown("\n".join(lines))


def _offer_export(user_id: int) -> None:
    with st.container(border=True):
        st.markdown("**Export**")
        st.caption(
            "Everything stored about the person, as JSON: the events as they were received, and what became "
            "of them."
        )
        exporting = privacy.job(st.session_state.get(_EXPORT, ""))
        if exporting is None:
            if st.button("Prepare the export", icon=":material/file_export:"):
                require_operator()
                st.session_state[_EXPORT] = privacy.start_export(user_id).id
                st.rerun()
            return
        if not exporting.is_done:
            _wait(exporting, "Preparing the export …")
            return
        known: dict[str, Any] | None = layout.attempt(exporting.result)
        if known is not None:
            content = msgspec.json.format(msgspec.json.encode(known, enc_hook=str), indent=2)
            st.download_button(
                f"Download {len(known['received']):,} events",
                content,
                f"user-{user_id}.json",
                "application/json",
                icon=":material/download:",
                on_click="ignore",
            )


def _offer_erasure(user_id: int, preview: Preview) -> None:
    events = len(preview.holdings.events)
    users = int(preview.holdings.user is not None)
    with st.container(border=True):
        st.markdown("**Erase**")
        st.caption(
            f"Removes {events:,} received events and {users} rows of users from disk, with everything "
            f"derived from them, and rebuilds {text.days(len(preview.holdings.days))} of the marts. "
            "It can't be undone. The numbers in the dashboards change."
        )
        typed = st.text_input("Type the user id again", key="confirmed_user")
        is_sure = typed.strip() == str(user_id)
        if st.button(
            f"Erase user {user_id}", type="primary", icon=":material/delete_forever:", disabled=not is_sure
        ):
            require_operator()
            st.query_params[_ERASE] = privacy.start_erasure(user_id).id
            for key in (_FIND, _EXPORT, "confirmed_user"):
                st.session_state.pop(key, None)
            st.rerun()


def _follow_erasure(erasing: Job) -> None:
    if not erasing.is_done:
        _wait(erasing, "Erasing …")
        st.caption("You can leave this page: the erasure continues, and this address leads back to it.")
        return
    privacy.erasures.forget()
    receipt: Receipt | None = layout.attempt(erasing.result)
    if receipt is not None:
        if receipt.is_verified:
            st.success("The person was erased. Keep the receipt.", icon=":material/check_circle:")
        else:
            st.error("Not everything could be verified. Read the receipt, then erase the person once more.")
        _show_receipt(receipt)
    if st.button("Done", icon=":material/arrow_back:"):
        del st.query_params[_ERASE]
        st.rerun()


@st.fragment(run_every=_POLL_SECONDS)
def _wait(waiting: Job, what: str) -> None:
    """Shows what a job does, and draws the page again once it has ended."""
    if waiting.is_done:
        st.rerun()
    last = waiting.steps[-1] if waiting.steps else what
    st.info(layout.escape(last), icon=":material/hourglass_top:")


def _show_receipt(receipt: Receipt) -> None:
    st.code(describe_receipt(receipt), language=None, wrap_lines=True)
    name = f"erasure-{receipt.erasure_id[:8]}"
    with st.container(horizontal=True):
        st.download_button("Download as text", describe_receipt(receipt), f"{name}.txt", on_click="ignore")
        st.download_button(
            "Download as JSON", encode_receipt(receipt), f"{name}.json", "application/json", on_click="ignore"
        )


def _show_erasures() -> None:
    st.subheader("Erasures", anchor=False)
    found = layout.page_part(privacy.erasures(), "The list of erasures")
    if found is None:
        return
    if not found:
        st.caption("No one has been erased yet.")
    for erasure in found:
        receipt = privacy.receipt_of(erasure)
        state = (
            "interrupted"
            if receipt is None
            else "erased and verified"
            if receipt.is_verified
            else "not verified"
        )
        with st.expander(f"{text.moment(erasure.started_at)}: {state}"):
            if receipt is None:
                st.warning("This erasure was interrupted. Find the person again and erase them once more.")
            else:
                _show_receipt(receipt)
