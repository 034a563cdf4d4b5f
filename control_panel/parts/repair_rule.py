"""A rule that repairs many refused events at once: asked for, previewed, applied."""

from typing import Final

import streamlit as st

from clickstream.contract import FIELD_BY_NAME
from clickstream.etl.repair import Action, RepairRule
from control_panel import layout, repairs
from control_panel.clients.quality import Wanted
from control_panel.clients.readings import act
from control_panel.parts import replays
from control_panel.session import require_operator

_WAIT_SECONDS: Final = 20.0
_OUTCOME: Final = "rule outcome"
_PLACE: Final = "rule"


def show(wanted: Wanted) -> None:
    """Draw the part.

    Args:
        wanted: The events to which the rule applies.
    """
    st.subheader("Repair many events with a rule", anchor=False)
    st.caption(
        "The rule applies to the events that match the filter above. The preview changes nothing; replaying "
        "sends only those events that the rule makes valid."
    )
    rule = _ask_rule()
    is_asked = st.button(
        "Preview",
        icon=":material/visibility:",
        key="rule preview",
        disabled=rule is None,
        help="Choose a field, and say what its new value is." if rule is None else None,
    )
    if rule is None:
        replays.show(_PLACE)
        return
    if is_asked:
        st.session_state.pop(_OUTCOME, None)
        outcome = layout.attempt(lambda: act(lambda: repairs.preview_rule(wanted, rule), _WAIT_SECONDS))
        if outcome is not None:
            st.session_state[_OUTCOME] = (wanted, rule, outcome)
    known = st.session_state.get(_OUTCOME)
    if known is not None and known[:2] == (wanted, rule):
        _show_outcome(wanted, rule, known[2])
    else:
        replays.show(_PLACE)


def _ask_rule() -> RepairRule | None:
    """The rule; None while it is not complete."""
    first, second, third = st.columns(3)
    with first:
        field = st.selectbox(
            "Field to change",
            [name for name in FIELD_BY_NAME if name != "payload"],
            index=None,
            placeholder="Choose a field",
            accept_new_options=True,
            help="Type `payload.` and a name for a custom field.",
            key="rule field",
        )
    with second:
        chosen = st.selectbox("What to do", list(Action), format_func=str.capitalize, key="rule action")
        action = chosen or Action.SET
    with third:
        value, seconds, mapping = _ask_values(action)
    if not field or not field.strip() or (action is Action.SET and not value):
        return None
    return RepairRule(field.strip(), action, value, seconds, mapping)


def _ask_values(action: Action) -> tuple[str, float, dict[str, str]]:
    match action:
        case Action.SET:
            return st.text_input("New value", key="rule value", placeholder="such as click"), 0.0, {}
        case Action.SHIFT:
            seconds = st.number_input("Seconds, negative for earlier", value=-3600.0, key="rule seconds")
            return "", float(seconds), {}
        case Action.MAP:
            lines = st.text_area("One old=new per line", placeholder="purchase=click", key="rule mapping")
            pairs = (line.partition("=") for line in lines.splitlines() if "=" in line)
            return "", 0.0, {old.strip(): new.strip() for old, _, new in pairs}
        case _:
            return "", 0.0, {}


def _show_outcome(wanted: Wanted, rule: RepairRule, outcome: repairs.Outcome) -> None:
    st.info(in_words(outcome), icon=":material/visibility:")
    if not outcome.valid:
        return
    is_meant = wanted.is_narrow or st.checkbox(
        f"No filter is set: the rule applies to {outcome.matched:,} refused events of every kind, and "
        f"{outcome.valid:,} of them are sent again with {layout.escape(rule.field)} changed. I mean this.",
        key="rule is meant",
    )
    if st.button(
        f"Replay {outcome.valid:,} repaired {'event' if outcome.valid == 1 else 'events'}",
        type="primary",
        icon=":material/replay:",
        key="rule send",
        disabled=not is_meant,
        help=None if is_meant else "Set a filter above, or confirm that all events are meant.",
    ):
        layout.attempt(lambda: _replay(wanted, rule))


def in_words(outcome: repairs.Outcome) -> str:
    """What a rule would do, in sentences."""
    left = ", ".join(f"{problem} {count:,}" for problem, count in outcome.still_wrong.items())
    most = (
        f" At most {repairs.MOST_EVENTS:,} events are repaired at once; apply the rule again for the rest."
        if outcome.matched == repairs.MOST_EVENTS
        else ""
    )
    if not outcome.changed:
        found = f"The rule changes none of the {outcome.matched:,} events: they have the value already"
        return f"{found}, or nothing that it could change."
    valid = f"{outcome.valid:,} would then be valid"
    rest = "the others" if outcome.valid else "they"
    return (
        f"The rule changes {outcome.changed:,} of {outcome.matched:,} events; {valid}"
        + (f", and {rest} would still have problems ({left})." if left else ".")
        + f" Nothing has been changed yet.{most}"
    )


def _replay(wanted: Wanted, rule: RepairRule) -> None:
    require_operator()
    replay = act(lambda: repairs.send_again(wanted, rule), _WAIT_SECONDS)
    st.session_state.pop(_OUTCOME, None)
    replays.follow(replay, _PLACE)
