"""Live generators: start, watch, change and stop them."""

from collections.abc import Callable

import streamlit as st

from control_panel import charts, confirmation, layout, tables, text
from control_panel.clients import generators
from control_panel.clients.readings import act
from control_panel.session import is_operator, require_operator
from generator.live.fleet import NamedStatus
from generator.live.options import (
    DEFAULT_GENERATOR,
    MAX_RATE,
    MIN_RATE,
    LiveOptions,
    Shape,
    Target,
    check_generator_name,
    check_options,
)

_LIVE_SECONDS = 2
_DEFAULTS = LiveOptions()
_COUNT_NAMES = {
    "source": "Source",
    "received": "Acknowledged",
    "valid": "Valid",
    "duplicate": "Duplicates",
    "faulty": "Faulty",
    "unacknowledged": "In flight",
}
_STATE_COLOURS = {"running": "green", "stopped": "gray", "failed": "red"}
_TARGETS = {Target.BROKER: "the broker", Target.HTTP: "the HTTP API", Target.BOTH: "both, half each"}
_MAX_SEED = 2**53 - 1


def show() -> None:
    """Draw the part."""
    if is_operator():
        _show_form()
    else:
        layout.operators_only("start and stop generators")
    _show_generators()


def _show_form() -> None:
    with (
        st.expander("Start a generator", icon=":material/play_circle:", expanded=True),
        st.form("start", border=False),
    ):
        first, second, third = st.columns(3)
        with first:
            name = st.text_input(
                "Name", value=DEFAULT_GENERATOR, help="A new name starts another generator beside the others."
            )
            seed = st.number_input("Seed", value=_DEFAULTS.seed, step=1, min_value=0, max_value=_MAX_SEED)
        with second:
            rate = st.number_input(
                "Events per second",
                value=_DEFAULTS.rate_per_second,
                min_value=MIN_RATE,
                max_value=MAX_RATE,
                step=10.0,
                format="%.1f",
            )
            shape = st.selectbox("Shape of the rate over time", list(Shape), format_func=str)
        with third:
            faults = st.number_input(
                "Faults, %", value=_DEFAULTS.faults_percent, min_value=0.0, max_value=99.0
            )
            duplicates = st.number_input(
                "Duplicates, %", value=_DEFAULTS.duplicates_percent, min_value=0.0, max_value=99.0
            )
        target = st.radio("Send to", list(Target), format_func=lambda one: _TARGETS[one], horizontal=True)
        if not st.form_submit_button("Start", type="primary", icon=":material/play_arrow:"):
            return
    given = {
        "rate_per_second": rate,
        "shape": shape,
        "faults_percent": faults,
        "duplicates_percent": duplicates,
        "target": target,
        "seed": int(seed),
    }

    def start() -> bool:
        require_operator()
        checked_name, options = check_generator_name(name.strip()), check_options(given, _DEFAULTS)
        act(lambda: generators.start(checked_name, options))
        return True

    if layout.attempt(start):
        st.success(f"The generator {layout.escape(name.strip())} was started.", icon=":material/check:")


@st.fragment(run_every=_LIVE_SECONDS)
def _show_generators() -> None:
    found = layout.part(generators.generators().read(), "The live generators")
    if found is None:
        return
    shown = [
        one for one in found.each if one.status.started_at or _sent(one) or one.name != DEFAULT_GENERATOR
    ]
    if not shown:
        layout.empty("No generator has run yet. Start one: its events appear on the Overview within seconds.")
        return
    st.subheader("Acknowledged events per second", anchor=False)
    charts.lines(
        found.rates,
        "at",
        [one.name for one in shown],
        names={},
        alt="Events acknowledged in each second, by generator, since this page is open",
        key="rates",
        height=220,
    )
    for one in shown:
        with st.container(border=True):
            _show_generator(one)


def _sent(one: NamedStatus) -> int:
    return sum(source.received + source.unacknowledged for source in one.status.sources.values())


def _show_generator(one: NamedStatus) -> None:
    status, options = one.status, one.status.options
    colour = _STATE_COLOURS.get(status.state, "gray")
    is_running = status.state == "running"
    st.markdown(f"**{one.name}** :{colour}-badge[{status.state}]")
    st.caption(
        f"{options.rate_per_second:g} events per second on average, {options.shape}, "
        f"to {_TARGETS[options.target]}, "
        f"{options.faults_percent:g} % faults, {options.duplicates_percent:g} % duplicates, "
        f"seed {options.seed}"
        + (f", started {text.age(status.started_at)}" if status.started_at else "")
        + (f", ends at {text.moment(options.ends_at)}" if options.ends_at and is_running else "")
    )
    if status.problem:
        st.error(layout.escape(status.problem), icon=":material/error:")
    with st.grid(min_column_width=150):
        st.metric(
            "Due per second",
            text.rate(status.due_per_second),
            help="What is to be sent right now: the average rate, as its shape raises or lowers it.",
        )
        st.metric("Acknowledged per second", text.rate(status.acknowledged_per_second))
        st.metric("Sent", text.number(_sent(one)))
        received = sum(source.received for source in status.sources.values())
        st.metric("Acknowledged", text.number(received))
    rows = [
        {"source": source, **{name: getattr(counts, name) for name in _COUNT_NAMES if name != "source"}}
        for source, counts in status.sources.items()
        if counts.received or counts.unacknowledged
    ]
    if rows:
        alt = f"What the generator {one.name} has sent, by source"
        tables.counts(rows, "source", _COUNT_NAMES, alt=alt)
    for source, counts in status.sources.items():
        if counts.problem and counts.unacknowledged:
            st.warning(f"{source}: {layout.escape(counts.problem)}", icon=":material/sync_problem:")
    if is_operator():
        _show_buttons(one)


def _show_buttons(one: NamedStatus) -> None:
    is_running = one.status.state == "running"
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if is_running:
            if st.button("Stop", key=f"stop {one.name}", icon=":material/stop:"):
                _change(lambda: generators.stop(one.name))
            rate = st.number_input(
                "New rate",
                value=one.status.options.rate_per_second,
                min_value=MIN_RATE,
                max_value=MAX_RATE,
                key=f"rate {one.name}",
                width=160,
            )
            if st.button("Change the rate", key=f"change {one.name}"):
                _change(lambda: generators.change_rate(one.name, rate))
            return
        if st.button("Start again", key=f"again {one.name}", icon=":material/play_arrow:"):
            _change(lambda: generators.start(one.name, one.status.options))
        if one.name != DEFAULT_GENERATOR and confirmation.asked(
            "Remove",
            f"Removes the generator **{one.name}** and its settings from this list. Its "
            f"{text.number(_sent(one))} events stay where they are.",
            key=f"remove {one.name}",
            icon=":material/delete:",
        ):
            _change(lambda: generators.remove(one.name))


def _change(action: Callable[[], None]) -> None:
    def do() -> bool:
        require_operator()
        act(action)
        return True

    if layout.attempt(do):
        st.rerun()
