"""Refused events: filters, counts that follow them, and the events themselves."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import streamlit as st

from clickstream.contract import FIELD_BY_NAME
from clickstream.loads.history import Load, origin_of
from clickstream.reasons import ErrorCode
from clickstream.storage.raw import short_origin
from clickstream.trace import parse_record
from control_panel import layout, text
from control_panel.clients import loads, quality
from control_panel.clients.events import read_fields
from control_panel.clients.quality import Wanted
from control_panel.parts import refused_event, repair_rule, replays
from control_panel.parts.load_history import name_of
from control_panel.preview import uploaded_names
from control_panel.session import is_operator

_SOURCES: Final = ("csv", "http", "tracker", "broker", "replay")
_ALL: Final = "all"
_RECORD: Final = "record"
"""In the address: one refused event, as other pages link to it."""

_FILE: Final = "file"
"""In the address: the SHA-256 of a loaded file, as the page Upload CSV links to it."""

_FILE_KEY: Final = "quarantine file"
_EVENT: Final = "quarantine event"
_SHOWN_CHARACTERS: Final = 60


def show() -> None:
    """Draw the part."""
    record = st.query_params.get(_RECORD, "")
    if record and is_operator():
        replays.show_found_again()
        refused_event.show_record(record)
        if st.button("All refused events", icon=":material/arrow_back:"):
            del st.query_params[_RECORD]
            st.rerun()
        return
    wanted = _ask_filter()
    counts = layout.page_part(quality.counts(wanted), "The refused events")
    if not counts:
        replays.show_any()
        if counts is not None:
            _show_nothing(wanted)
        return
    replays.show_found_again()
    _show_counts(counts)
    if not is_operator():
        st.caption("The events themselves hold personal data. Sign in as an operator to see and repair them.")
        return
    repair_rule.show(wanted)
    _show_events(wanted)


def _show_nothing(wanted: Wanted) -> None:
    where = "of this file" if wanted.origin else "of these days"
    layout.empty(
        f"No refused event matches the filter: every event {where} was valid, was repaired and replayed, or "
        "did not arrive at all."
    )


def _show_counts(counts: tuple[dict[str, Any], ...]) -> None:
    st.dataframe(
        [
            {
                "Code": row["code"],
                "Field": row["field"] or "whole record",
                "Source": row["source"],
                "Events": row["events"],
                "What is wrong": refused_event.describe(row["code"])[0],
            }
            for row in counts
        ],
        hide_index=True,
        column_config={
            # As wide as the longest description, and last: a narrower column would cut it without a sign.
            "What is wrong": st.column_config.TextColumn(width=640),
            "Events": st.column_config.ProgressColumn(
                format="localized", min_value=0, max_value=max(row["events"] for row in counts)
            ),
        },
        alt="What is wrong, by code, field and source",
    )


def _ask_filter() -> Wanted:
    today = datetime.now(UTC).date()
    file = _ask_file()
    first, second, third, fourth = st.columns(4)
    with first:
        days = st.date_input(
            "Received (UTC)",
            (today - timedelta(days=30), today),
            max_value=today,
            format="YYYY-MM-DD",
            key="quarantine days",
            disabled=bool(file),
            help="A file is shown whole, whenever it was loaded." if file else None,
        )
    with second:
        code = st.selectbox("Code", [_ALL, *(code.value for code in ErrorCode)], key="quarantine code")
    with third:
        field = st.selectbox("Field", [_ALL, *FIELD_BY_NAME], key="quarantine field")
    with fourth:
        source = st.selectbox("Source", [_ALL, *_SOURCES], key="quarantine source")
    searched = ""
    if is_operator():
        searched = st.text_input(
            "Text within the event",
            key="quarantine text",
            max_chars=200,
            placeholder="a part of the event, such as /checkout or a session id",
        )
    replayed = st.toggle("Include events that were replayed already", key="quarantine replayed")
    chosen = days if isinstance(days, tuple) else (days, days)
    return Wanted(
        first_date=chosen[0] if chosen else today,
        last_date=chosen[-1] if chosen else today,
        code="" if code == _ALL else code,
        field="" if field == _ALL else field,
        source="" if source == _ALL else source,
        text=searched.strip(),
        origin=origin_of(file) if file else "",
        include_replayed=replayed,
    )


def _ask_file() -> str:
    """The SHA-256 of the file whose lines are shown; empty for events of every origin."""
    names = uploaded_names()
    titles = {
        load.sha256: _file_title(load, names) for load in loads.loads().read().value or () if load.quarantined
    }
    asked = st.query_params.get(_FILE, "")
    if asked:
        titles.setdefault(asked, f"the file {asked[:8]}")
    choices = ["", *titles]

    def note() -> None:
        if chosen := st.session_state[_FILE_KEY]:
            st.query_params[_FILE] = chosen
        else:
            st.query_params.pop(_FILE, None)

    chosen = st.selectbox(
        "File",
        choices,
        index=choices.index(asked),
        format_func=lambda sha256: titles.get(sha256, _ALL),
        key=_FILE_KEY,
        on_change=note,
    )
    return chosen or ""


def _file_title(load: Load, names: dict[str, str]) -> str:
    received = text.moment(load.last_received_at)
    return f"{name_of(load, names)}, received {received} ({load.sha256[:8]})"


def _show_events(wanted: Wanted) -> None:
    st.subheader("Repair one event", anchor=False)
    found = layout.page_part(quality.events(wanted), "The events")
    if not found:
        return
    rows = _with_shown({refused_event.name_of(row): row for row in found}, wanted)
    name = st.selectbox(
        f"The last {len(found):,} events" if len(found) > 1 else "The event",
        list(rows),
        # A selectbox knows its options by their titles, so these must differ and must not change.
        format_func=lambda name: _title(rows[name], is_of_file=bool(wanted.origin)),
        key=_EVENT,
    )
    refused_event.show(rows[name])


def _with_shown(rows: dict[str, dict[str, Any]], wanted: Wanted) -> dict[str, dict[str, Any]]:
    """The events with the one that is being edited, which stays when it was replayed or others came."""
    shown = st.session_state.get(_EVENT, "")
    if st.session_state.get("quarantine events of") != wanted:
        st.session_state["quarantine events of"] = wanted
        st.session_state.pop(_EVENT, None)
        return rows
    record = parse_record(shown) if shown and shown not in rows else None
    if record is None:
        return rows
    known = quality.event(record.origin, record.offset, record.item or 0).read().value
    return {shown: known[0], **rows} if known else rows


def _title(row: dict[str, Any], *, is_of_file: bool) -> str:
    problems = "; ".join(f"{error['field'] or 'record'}: {error['code']}" for error in row["errors"])
    session = str(read_fields(row["body"]).get("session_id") or "")[:_SHOWN_CHARACTERS]
    parts = [_place(row, is_of_file=is_of_file), problems]
    if session:
        parts.append(f"session {session}")
    if not is_of_file:
        parts.append(text.moment(row["received_at"]))
    return " · ".join(parts)


def _place(row: dict[str, Any], *, is_of_file: bool) -> str:
    """Where an event came from; of a replay also its own record, as one event can be replayed repeatedly."""
    origin, offset, item = (row["original"] or refused_event.name_of(row)).rsplit(":", 2)
    again = f" (replay {row['offset']}:{row['item']})" if row["original"] else ""
    if not origin.startswith(origin_of("")):
        return f"{origin}:{offset}:{item}{again}"
    return (f"line {offset}" if is_of_file else f"{short_origin(origin)} line {offset}") + again
