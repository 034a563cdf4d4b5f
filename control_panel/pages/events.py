"""The events themselves: as they arrive, one of your own on its way, and where a given one is now."""

from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlencode

import msgspec
import streamlit as st

from clickstream.storage.runs import RunRecord
from clickstream.trace import Fate, Receipt, Trace, TraceState
from control_panel import layout, text
from control_panel.clients import events, system
from control_panel.clients.events import Answer, ReceivedEvent
from control_panel.journey import StageState, is_settled, original_of, stages
from control_panel.pages import PageInfo, Section, all_pages
from control_panel.session import is_operator, require_operator
from control_panel.verdict import PROCESSING

PAGE = PageInfo("Events", ":material/timeline:", Section.DATA, 3, "events")

_TO_SEND: Final = "event to send"
_LIVE: Final = "Live"
_SEND: Final = "Send one"
_LOOK_UP: Final = "Look up"
_VIEWS: Final = {"live": _LIVE, "send": _SEND, "look-up": _LOOK_UP}
_KINDS: Final = {"id": "Event id", "record": "Record", "session": "Session", "user": "User id"}
_WORDS: Final = {"id": "an event id", "record": "a record", "session": "a session id", "user": "a user id"}
_LIVE_SECONDS: Final = 2
_FOLLOW_SECONDS: Final = 1
_LIVE_HEIGHT: Final = 560
_ROWS_WITHOUT_SCROLLING: Final = 14
_QUALITY_PATH: Final = "quality"
_DETAILED: Final = 5
"""Up to this number, events are shown stage by stage; more are shown as a table."""

_OF_MANY: Final = frozenset({"session", "user"})
"""What names several events, each with a state of its own."""

_ICONS: Final = {
    StageState.DONE: ":green[:material/check_circle:]",
    StageState.WAITING: ":blue[:material/hourglass_top:]",
    StageState.STOPPED: ":orange[:material/block:]",
}
_FATES: Final = {
    "stored": "stored",
    "duplicate": "duplicate",
    "quarantined": "quarantined",
    "pending": "waiting",
    "erased": "erased",
    "unaccounted": "unaccounted",
}
_STATES: Final = {
    TraceState.UNKNOWN: (
        st.info,
        "Nothing is known under this name. Check whether it is an event id, a user id, a session or a "
        "record. An event that was sent a moment ago takes a few seconds to arrive.",
        ":material/search_off:",
    ),
    TraceState.PENDING: (st.info, "Received, and waiting to be processed.", ":material/hourglass_top:"),
    TraceState.STORED: (
        st.success,
        "Stored: it is counted in the numbers, or will be within a minute.",
        ":material/check_circle:",
    ),
    TraceState.QUARANTINED: (
        st.warning,
        "Not in the numbers: it is in quarantine, because it is not a valid event.",
        ":material/block:",
    ),
    TraceState.ERASED: (
        st.warning,
        "Not in the numbers: it was erased, because its person was erased.",
        ":material/delete_forever:",
    ),
    TraceState.UNACCOUNTED: (
        st.error,
        "Received, but then lost. This is a fault of the system; the ledger shows the gap.",
        ":material/error:",
    ),
}
_PERSONAL: Final = frozenset({"ip", "body"})


def render() -> None:
    """Draw the page."""
    layout.heading(
        PAGE, "What is arriving right now, and where an event is: counted in the numbers, or why not."
    )
    asked = _VIEWS.get(st.query_params.get("view", "live"), _LIVE)
    view = st.segmented_control(
        "View", list(_VIEWS.values()), default=asked, key="events_view", label_visibility="collapsed"
    )
    chosen = view or asked
    st.query_params["view"] = next(name for name, title in _VIEWS.items() if title == chosen)
    if chosen == _LIVE:
        _show_live()
    elif chosen == _SEND:
        _show_sending()
    else:
        _show_look_up()


def _show_live() -> None:
    left, right = st.columns([1, 3])
    with left:
        source = st.selectbox("Source", ["", *system.SOURCES], format_func=lambda name: name or "all sources")
    with right:
        wanted = st.text_input("Text", placeholder="a part of the event, such as /checkout or a session")
    _show_latest(source or "", wanted.strip())


@st.fragment(run_every=_LIVE_SECONDS)
def _show_latest(source: str, wanted: str) -> None:
    found = layout.part(events.latest(source, wanted).read(), "The last events")
    if found is None:
        return
    if not found:
        layout.empty(
            "No matching event among those that arrived last."
            if source or wanted
            else "Nothing has been received yet. Send an event with **Send one** above."
        )
        return
    st.dataframe(
        [_live_row(event) for event in found],
        hide_index=True,
        height=_LIVE_HEIGHT if len(found) > _ROWS_WITHOUT_SCROLLING else "content",
        column_config={
            "Received (UTC)": st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm:ss"),
            "Where is it?": st.column_config.LinkColumn(display_text="follow"),
            "Page": st.column_config.TextColumn(width="medium"),
        },
        alt="The events received last",
    )
    st.caption("The last hundred events. The list updates by itself every two seconds.")


def _live_row(event: ReceivedEvent) -> dict[str, object]:
    fields = event.fields
    return {
        "Received (UTC)": event.received_at,
        "State": _FATES[event.fate],
        "Where is it?": _link("record", event.record),
        "Source": event.source,
        "Type": _shown(fields.get("type")),
        "Event": _shown(fields.get("payload.event_title")),
        "Element": _shown(fields.get("payload.element_id")),
        "Page": _shown(fields.get("url")),
        "Session": _shown(fields.get("session_id")),
        "User": _shown(fields.get("user_id")),
    }


def _shown(value: object) -> str:
    return "" if value is None else str(value)[:200]


def _link(kind: str, what: str) -> str:
    return "/events?" + urlencode({"view": "look-up", "kind": kind, "what": what})


def _show_sending() -> None:
    if not is_operator():
        layout.empty(
            "Sending an event changes the numbers, so only operators can do it. Sign in as an operator.",
            ":material/lock:",
        )
        return
    # Kept: the sample names the time, and with another default the field would forget what was typed.
    st.session_state.setdefault(_TO_SEND, _sample())
    with st.form("send", border=False):
        typed = st.text_area(
            "Event", height=320, help="One JSON object, as POST /events takes it.", key=_TO_SEND
        )
        is_asked = st.form_submit_button("Send and follow", icon=":material/send:", type="primary")
    if is_asked:
        require_operator()
        answer = layout.attempt(lambda: events.send_event(typed))
        if answer is not None:
            st.session_state["sent_event"] = answer
    sent = st.session_state.get("sent_event")
    if isinstance(sent, Answer):
        _show_answer(sent)
        if sent.event_id >= 0:
            st.subheader(f"Event {sent.event_id}", anchor=False)
            _follow("id", str(sent.event_id))


def _show_answer(answer: Answer) -> None:
    accepted = answer.body.get("accepted", 0)
    if accepted:
        st.success(
            "The API accepted the event: the broker has acknowledged it.", icon=":material/check_circle:"
        )
    elif answer.body.get("known"):
        st.info("The API already knew this event; it counts once.")
    else:
        st.warning("The API refused the event and keeps it in quarantine.", icon=":material/block:")
    problems = [*answer.body.get("errors", ()), *answer.body.get("warnings", ())]
    for problem in problems:
        st.markdown(f"- `{problem.get('code')}`: {layout.escape(str(problem.get('message')))}")


def _sample() -> str:
    now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    event = {
        "type": "click",
        "created_at": now,
        "session_id": "from-the-panel",
        "user_id": 1,
        "url": "/catalog",
        "payload": {"event_title": "checkout", "element_id": "#submit-button", "x": 445, "y": 315},
    }
    return msgspec.json.format(msgspec.json.encode(event), indent=2).decode()


def _show_look_up() -> None:
    asked_kind, asked = st.query_params.get("kind", "id"), st.query_params.get("what", "")
    kinds = list(_KINDS)
    with st.form("look_up", border=False):
        left, right = st.columns([1, 3])
        with left:
            place = kinds.index(asked_kind) if asked_kind in kinds else 0
            kind = st.selectbox("Look for", kinds, index=place, format_func=lambda name: _KINDS[name])
        with right:
            what = st.text_input(
                "Which", asked, placeholder="such as 1842; a record looks like clickstream.events/0:1842:0"
            )
        is_asked = st.form_submit_button("Look up", icon=":material/search:", type="primary")
    if is_asked and what.strip():
        likely = events.likely_kind(kind, what.strip())
        st.query_params.update({"kind": likely, "what": what.strip()})
        asked_kind, asked = likely, what.strip()
        if likely != kind:
            st.caption(
                f"This can't be {_WORDS[kind]}, which is a whole number, so {_WORDS[likely]} was looked for."
            )
    if asked and asked_kind in kinds:
        _follow(asked_kind, asked)


def _follow(kind: str, what: str) -> None:
    """Show where events are, and keep looking while that can still change."""
    trace = events.look_up(kind, what).read()
    settled = trace.value is not None and is_settled(trace.value, None)
    fragment = st.fragment(_show_trace, run_every=None if settled else _FOLLOW_SECONDS)
    fragment(kind, what)


def _show_trace(kind: str, what: str) -> None:
    found = layout.part(events.look_up(kind, what).read(), "The event")
    if found is None:
        return
    if kind in _OF_MANY and found.receipts:
        _show_share(found)
    else:
        show, sentence, icon = _STATES[found.state]
        show(sentence, icon=icon)
    if len(found.receipts) > _DETAILED:
        _show_many(found)
        return
    last_run_at = _last_run_at()
    for receipt in found.receipts:
        _show_receipt(receipt, found, last_run_at)


def _show_share(found: Trace) -> None:
    """How many of several events are in the numbers, where one state would not be true of all."""
    stored = sum(receipt.fate is Fate.STORED for receipt in found.receipts)
    pending = sum(receipt.fate is Fate.PENDING for receipt in found.receipts)
    sentence = (
        f"{stored:,} of these {len(found.receipts):,} events are in the numbers, or will be within a minute"
    )
    if pending:
        sentence += f"; {pending:,} wait to be processed"
    show = st.success if stored + pending == len(found.receipts) else st.info
    show(f"{sentence}.", icon=":material/check_circle:" if stored else ":material/info:")


def _last_run_at() -> datetime | None:
    runs: tuple[RunRecord, ...] = system.runs().read().value or ()
    ended = [run.finished_at for run in runs if run.pipeline == PROCESSING and run.finished_at]
    return max(ended, default=None)


def _show_many(found: Trace) -> None:
    counts = {fate: sum(receipt.fate is fate for receipt in found.receipts) for fate in Fate}
    with st.grid(min_column_width=140):
        for fate, count in counts.items():
            if count:
                st.metric(_FATES[fate.value], text.number(count), border=True)
    if found.receipts_left_out:
        st.caption(f"The last {len(found.receipts):,} events; there are {found.receipts_left_out:,} more.")
    st.dataframe(
        [
            {
                "Received (UTC)": receipt.received_at,
                "Happened (UTC)": receipt.created_at,
                "State": _FATES[receipt.fate.value],
                "Where is it?": _link("record", receipt.name),
                "Source": receipt.source,
                "Type": receipt.type.value if receipt.type else "",
                "Why": "; ".join(error.message for error in receipt.errors),
            }
            for receipt in sorted(found.receipts, key=lambda one: one.received_at, reverse=True)
        ],
        hide_index=True,
        placeholder="–",
        column_config={
            "Where is it?": st.column_config.LinkColumn(display_text="follow"),
            **{
                name: st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm:ss")
                for name in ("Received (UTC)", "Happened (UTC)")
            },
        },
        alt="Events and what became of each",
    )


def _show_receipt(receipt: Receipt, found: Trace, last_run_at: datetime | None) -> None:
    with st.container(border=True):
        st.markdown(f"**{layout.escape(receipt.name)}**")
        for stage in stages(receipt, found, last_run_at):
            st.markdown(f"{_ICONS[stage.state]} **{stage.title}**: {layout.escape(stage.detail)}")
        if receipt.replay_of:
            st.markdown(
                f"A replay of [{layout.escape(receipt.replay_of)}]({_link('record', receipt.replay_of)})."
            )
        if receipt.fate is Fate.DUPLICATE and receipt.event_id is not None:
            original = original_of(receipt, found.receipts)
            name = original.name if original else f"event {receipt.event_id}"
            target = _link("record", original.name) if original else _link("id", str(receipt.event_id))
            st.markdown(f"A duplicate of [{layout.escape(name)}]({target}).")
        if receipt.errors:
            _show_errors(receipt)
        _show_body(receipt)


def _show_errors(receipt: Receipt) -> None:
    for error in receipt.errors:
        hidden = error.field in _PERSONAL or not error.field
        value = (
            "" if hidden and not is_operator() else f" Received: `{error.value[:200]}`" if error.value else ""
        )
        st.markdown(f"- **{layout.escape(error.field or 'record')}**: {layout.escape(error.message)}{value}")
    if receipt.replayed_at is None:
        _show_remedy(receipt)


def _show_remedy(receipt: Receipt) -> None:
    if any(page.info.path == _QUALITY_PATH for page in all_pages()):
        address = f"/{_QUALITY_PATH}?{urlencode({'record': receipt.name})}"
        st.markdown(f"[Repair it on the page Data quality]({address})")
    else:
        st.markdown(
            "Repair it with `clickstream quarantine export --out bad.csv`: edit the file, then "
            "`clickstream quarantine replay bad.csv`."
        )


def _show_body(receipt: Receipt) -> None:
    if not receipt.body:
        return
    with st.expander("The event as it was received"):
        if is_operator():
            st.code(receipt.body, language="json", wrap_lines=True)
            return
        fields = {
            name: value for name, value in events.read_fields(receipt.body).items() if name not in _PERSONAL
        }
        st.json(fields)
        st.caption("Addresses are hidden from viewers.")
