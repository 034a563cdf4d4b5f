"""Refused events: filters, counts that follow them, and a rule that repairs many at once."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import streamlit as st

from clickstream.contract import FIELD_BY_NAME
from clickstream.etl.repair import Action, RepairRule
from clickstream.reasons import ErrorCode
from control_panel import layout, repairs, text
from control_panel.clients import quality
from control_panel.clients.quality import Wanted
from control_panel.clients.readings import act
from control_panel.parts import refused_event, replays
from control_panel.session import is_operator, require_operator

_SOURCES: Final = ("csv", "http", "tracker", "broker", "replay")
_WAIT_SECONDS: Final = 20.0
_ALL: Final = "all"
_RECORD: Final = "record"
"""In the address: one refused event, as other pages link to it."""


def show() -> None:
    """Draw the part."""
    record = st.query_params.get(_RECORD, "")
    if record and is_operator():
        replays.show()
        refused_event.show_record(record)
        if st.button("All refused events", icon=":material/arrow_back:"):
            del st.query_params[_RECORD]
            st.rerun()
        return
    wanted = _ask_filter()
    replays.show()
    counts = layout.page_part(quality.counts(wanted), "The refused events")
    if counts is None:
        return
    if not counts:
        layout.empty(
            "No refused event matches the filter: every event of these days was valid, was repaired and "
            "replayed, or did not arrive at all."
        )
        return
    _show_counts(counts)
    if not is_operator():
        st.caption("The events themselves hold personal data. Sign in as an operator to see and repair them.")
        return
    _show_rule(wanted)
    _show_events(wanted)


def _show_counts(counts: tuple[dict[str, Any], ...]) -> None:
    st.dataframe(
        [
            {
                "What is wrong": _meaning(row["code"]),
                "Code": row["code"],
                "Field": row["field"] or "whole record",
                "Source": row["source"],
                "Events": row["events"],
            }
            for row in counts
        ],
        hide_index=True,
        column_config={
            "What is wrong": st.column_config.TextColumn(width="large"),
            "Events": st.column_config.ProgressColumn(
                format="localized", min_value=0, max_value=max(row["events"] for row in counts)
            ),
        },
        alt="What is wrong, by code, field and source",
    )


def _meaning(code: str) -> str:
    return refused_event.describe(code)[0]


def _ask_filter() -> Wanted:
    today = datetime.now(UTC).date()
    first, second, third, fourth = st.columns(4)
    with first:
        days = st.date_input(
            "Received (UTC)",
            (today - timedelta(days=30), today),
            max_value=today,
            format="YYYY-MM-DD",
            key="quarantine days",
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
        text=searched,
        include_replayed=replayed,
    )


def _show_rule(wanted: Wanted) -> None:
    st.subheader("Repair many events with a rule", anchor=False)
    st.caption(
        "The rule applies to the events that match the filter above. The preview changes nothing; replaying "
        "sends only those events that the rule makes valid."
    )
    first, second, third = st.columns(3)
    with first:
        fields = [name for name in FIELD_BY_NAME if name != "payload"]
        field = st.selectbox(
            "Field to change",
            fields,
            index=fields.index("type"),
            accept_new_options=True,
            help="Type `payload.` and a name for a custom field.",
            key="rule field",
        )
    with second:
        chosen = st.selectbox("What to do", list(Action), format_func=str.capitalize, key="rule action")
        action = chosen or Action.SET
    with third:
        value, seconds, mapping = _ask_values(action)
    rule = RepairRule(field.strip(), action, value, seconds, mapping)
    with st.container(horizontal=True):
        if st.button("Preview", icon=":material/visibility:", key="rule preview"):
            outcome = layout.attempt(lambda: act(lambda: repairs.preview_rule(wanted, rule), _WAIT_SECONDS))
            if outcome is not None:
                st.session_state["rule outcome"] = (wanted, rule, outcome)
        known = st.session_state.get("rule outcome")
        if known is None or known[:2] != (wanted, rule):
            return
        outcome = known[2]
        label = f"Replay {outcome.valid:,} repaired events"
        if outcome.valid and st.button(label, type="primary", icon=":material/replay:", key="rule send"):
            layout.attempt(lambda: _replay(wanted, rule))
            return
    st.info(_in_words(outcome), icon=":material/visibility:")


def _in_words(outcome: repairs.Outcome) -> str:
    left = ", ".join(f"{code} {count:,}" for code, count in outcome.still_wrong.items())
    most = (
        f" At most {repairs.MOST_EVENTS:,} events are repaired at once; apply the rule again for the rest."
        if outcome.matched == repairs.MOST_EVENTS
        else ""
    )
    return (
        f"The rule changes {outcome.changed:,} of {outcome.matched:,} events; {outcome.valid:,} would then "
        + (f"be valid, and the others would still have problems ({left})." if left else "be valid.")
        + f" Nothing has been changed yet.{most}"
    )


def _ask_values(action: Action) -> tuple[str, float, dict[str, str]]:
    match action:
        case Action.SET:
            return st.text_input("New value", "click", key="rule value"), 0.0, {}
        case Action.SHIFT:
            seconds = st.number_input("Seconds, negative for earlier", value=-3600.0, key="rule seconds")
            return "", float(seconds), {}
        case Action.MAP:
            lines = st.text_area("One old=new per line", "purchase=click", key="rule mapping")
            pairs = (line.partition("=") for line in lines.splitlines() if "=" in line)
            return "", 0.0, {old.strip(): new.strip() for old, _, new in pairs}
        case _:
            return "", 0.0, {}


def _replay(wanted: Wanted, rule: RepairRule) -> None:
    require_operator()
    replay = act(lambda: repairs.send_again(wanted, rule), _WAIT_SECONDS)
    st.session_state.pop("rule outcome", None)
    replays.follow(replay)


def _show_events(wanted: Wanted) -> None:
    st.subheader("Repair one event", anchor=False)
    found = layout.page_part(quality.events(wanted), "The events")
    if not found:
        return
    choices = list(range(len(found)))
    place = st.selectbox(
        f"The last {len(found):,} events" if len(found) > 1 else "The event",
        choices,
        format_func=lambda number: _title(found[number]),
        key="quarantine event",
    )
    refused_event.show(found[place if place in choices else 0])


def _title(row: dict[str, Any]) -> str:
    problems = "; ".join(f"{error['field'] or 'record'}: {error['code']}" for error in row["errors"])
    return f"{text.moment(row['received_at'])} · {row['source']} · {problems}"
