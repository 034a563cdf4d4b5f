"""Refused events: filters, counts that follow them, one event with its problem, rules for many."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import streamlit as st

from clickstream.contract import FIELD_BY_NAME
from clickstream.etl.repair import Action, RepairRule, problems_of
from clickstream.reasons import DESCRIPTIONS, ErrorCode
from control_panel import layout, repairs, text
from control_panel.clients import quality
from control_panel.clients.quality import Wanted
from control_panel.clients.readings import act
from control_panel.session import is_operator, require_operator

_SOURCES: Final = ("csv", "http", "tracker", "broker", "replay")
_WAIT_SECONDS: Final = 20.0
_ALL: Final = "all"


def show() -> None:
    """Draw the part."""
    wanted = _ask_filter()
    counts = layout.page_part(quality.counts(wanted), "The refused events")
    if counts is None:
        return
    if not counts:
        layout.empty("No refused event fits the filter. That is good news, unless nothing was sent at all.")
        return
    st.dataframe(
        [
            {"Code": row["code"], "Field": row["field"], "Source": row["source"], "Events": row["events"]}
            for row in counts
        ],
        hide_index=True,
        column_config={"Events": st.column_config.NumberColumn(format="localized")},
        alt="What is wrong, by code, field and source",
    )
    if not is_operator():
        st.caption("The events themselves hold personal data; operators see and mend them.")
        return
    _show_rule(wanted)
    _show_events(wanted)


def _ask_filter() -> Wanted:
    today = datetime.now(UTC).date()
    first, second, third, fourth = st.columns(4)
    with first:
        days = st.date_input(
            "Received (UTC)", (today - timedelta(days=30), today), max_value=today, key="quarantine days"
        )
    with second:
        code = st.selectbox("Code", [_ALL, *(code.value for code in ErrorCode)], key="quarantine code")
    with third:
        field = st.selectbox("Field", [_ALL, *FIELD_BY_NAME], key="quarantine field")
    with fourth:
        source = st.selectbox("Source", [_ALL, *_SOURCES], key="quarantine source")
    searched = ""
    if is_operator():
        searched = st.text_input("Text within the event", key="quarantine text", max_chars=200)
    replayed = st.toggle("Also events that were sent again", key="quarantine replayed")
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
    st.subheader("Mend many", anchor=False)
    first, second, third = st.columns(3)
    with first:
        field = st.text_input(
            "Field to change", "type", help="Such as `url` or `payload.x`.", key="rule field"
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
        label = f"Send {outcome.valid:,} mended events again"
        if outcome.valid and st.button(label, type="primary", icon=":material/replay:", key="rule send"):
            layout.attempt(lambda: _send(wanted, rule))
            return
    left = ", ".join(f"{code} {count:,}" for code, count in outcome.still_wrong.items())
    st.info(
        f"Of {outcome.matched:,} events the rule changes {outcome.changed:,}; "
        f"{outcome.valid:,} would be valid"
        + (f", and the others would still be wrong ({left})." if left else ".")
        + " Nothing has been changed yet."
    )


def _ask_values(action: Action) -> tuple[str, float, dict[str, str]]:
    match action:
        case Action.SET:
            return st.text_input("New value", "click", key="rule value"), 0.0, {}
        case Action.SHIFT:
            seconds = st.number_input("Seconds, negative for earlier", value=-3600.0, key="rule seconds")
            return "", float(seconds), {}
        case Action.MAP:
            lines = st.text_area("old=new, a line each", "purchase=click", key="rule mapping")
            pairs = (line.partition("=") for line in lines.splitlines() if "=" in line)
            return "", 0.0, {old.strip(): new.strip() for old, _, new in pairs}
        case _:
            return "", 0.0, {}


def _send(wanted: Wanted, rule: RepairRule) -> None:
    require_operator()
    outcome = act(lambda: repairs.send_again(wanted, rule), _WAIT_SECONDS)
    st.session_state.pop("rule outcome", None)
    sent = f"{outcome.valid:,} events" if outcome else "The events"
    st.success(
        f"{sent} are being sent again. The next run of process_events takes them, within about a minute; the "
        "ledger on the page Overview shows them arrive. Sending them twice changes nothing.",
        icon=":material/check:",
    )


def _show_events(wanted: Wanted) -> None:
    st.subheader("One by one", anchor=False)
    found = layout.page_part(quality.events(wanted), "The events")
    if not found:
        return
    choices = list(range(len(found)))
    place = st.selectbox(
        f"The last {len(found):,} events",
        choices,
        format_func=lambda number: _title(found[number]),
        key="quarantine event",
    )
    row = found[place if place in choices else 0]
    for error in row["errors"]:
        where = f"**{layout.escape(error['field'])}**: " if error["field"] else ""
        st.error(
            f"{where}{layout.escape(error['message'])} It was “{layout.escape(str(error['value'])[:200])}”. "
            f"{layout.escape(_described(error['code']))}",
            icon=":material/error:",
        )
    st.caption(
        f"From {layout.escape(row['source'])}, {layout.escape(row['origin'])} at "
        f"{row['offset']}:{row['item']}, received {text.moment(row['received_at'])}."
        + (f" Sent again {text.moment(row['replayed_at'])}." if row["replayed_at"] else "")
    )
    _edit(wanted, row)


def _described(code: str) -> str:
    """What an error code means and what to do about it."""
    return " ".join(DESCRIPTIONS[ErrorCode(code)])


def _title(row: dict[str, Any]) -> str:
    codes = ", ".join(row["reasons"])
    return f"{text.moment(row['received_at'])} · {row['source']} {row['offset']}:{row['item']} · {codes}"


def _edit(wanted: Wanted, row: dict[str, Any]) -> None:
    coordinate = (str(row["origin"]), int(row["offset"]), int(row["item"]))
    body = st.text_area("The event", _pretty(row["body"]), height=320, key=f"body of {coordinate}")
    problems = problems_of(body, repairs.receipt_of(row["received_at"]))
    if problems:
        st.warning(
            " ".join(layout.escape(problem.message) for problem in problems), icon=":material/warning:"
        )
    elif row["replayed_at"]:
        st.info("It was sent again already.")
    elif st.button("Send it again", type="primary", icon=":material/replay:", key=f"send {coordinate}"):

        def send() -> bool | None:
            require_operator()
            return act(lambda: repairs.send_one(wanted, coordinate, body), _WAIT_SECONDS)

        if layout.attempt(send) is False:
            st.info("It is not in quarantine any more.")
        else:
            st.success("It is being sent again; the next run takes it within about a minute.")


def _pretty(body: str) -> str:
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except ValueError:
        return body
