"""One refused event: what is wrong with it, and an editor to repair and replay it."""

import json
from typing import Any, Final

import streamlit as st

from clickstream.etl.repair import problems_of
from clickstream.reasons import DESCRIPTIONS, ErrorCode
from clickstream.trace import parse_record
from control_panel import layout, repairs, text
from control_panel.clients import quality
from control_panel.clients.events import read_fields
from control_panel.clients.readings import act
from control_panel.parts import replays
from control_panel.session import require_operator

_WAIT_SECONDS: Final = 20.0
_SHOWN_CHARACTERS: Final = 200


def show_record(name: str) -> None:
    """Draw the refused event of a record, as other pages link to it.

    Args:
        name: `origin:offset:item`.
    """
    record = parse_record(name)
    if record is None:
        layout.empty(f"{name[:_SHOWN_CHARACTERS]!r} is not a record. The page **Events** finds events.")
        return
    question = quality.event(record.origin, record.offset, record.item or 0)
    found = layout.page_part(question, "The event")
    if found is None:
        return
    if not found:
        layout.empty(
            "This event is not in quarantine: it was valid, or it was erased. The page **Events** shows "
            "where it is."
        )
        return
    st.subheader("A refused event", anchor=False)
    show(found[0])


def show(row: dict[str, Any]) -> None:
    """Draw an event with what is wrong, and the editor.

    Args:
        row: A row of the quarantine.
    """
    for error in row["errors"]:
        _show_error(error)
    record = name_of(row)
    # No caption: a link in one stands out too little.
    st.markdown(
        f"Received {text.moment(row['received_at'])} by {layout.escape(row['source'])}, record "
        f"[{layout.escape(record)}](/events?view=look-up&kind=record&what={record})."
        + (f" Replayed {text.moment(row['replayed_at'])}." if row["replayed_at"] else "")
    )
    _show_fields(row)
    _edit(row)


def name_of(row: dict[str, Any]) -> str:
    """The record of a row of the quarantine, `origin:offset:item`."""
    return f"{row['origin']}:{row['offset']}:{row['item']}"


def describe(code: str) -> tuple[str, str]:
    """What an error code means, and what to do about it, as plain text."""
    meaning, remedy = DESCRIPTIONS[ErrorCode(code)]
    return meaning.replace("`", ""), remedy.replace("`", "")


def _show_error(error: dict[str, str]) -> None:
    where = f"**{layout.escape(error['field'])}**: " if error["field"] else ""
    received = f" Received: “{layout.escape(error['value'][:_SHOWN_CHARACTERS])}”." if error["value"] else ""
    remedy = describe(error["code"])[1]
    # Some messages end with the remedy.
    advice = "" if remedy in error["message"] else f" {layout.escape(remedy)}"
    st.error(
        f"{where}{layout.escape(error['message'])}{received}{advice}",
        icon=":material/error:",
    )


def _show_fields(row: dict[str, Any]) -> None:
    fields = read_fields(row["body"])
    if not fields:
        return
    wrong = {error["field"]: error["code"] for error in row["errors"] if error["field"]}
    missing = {name: None for name in wrong if name not in fields}
    ordered = sorted({**fields, **missing}.items(), key=lambda item: item[0] not in wrong)
    with st.expander("The fields of the event", icon=":material/list_alt:"):
        st.dataframe(
            [
                {
                    "": "⚠️" if name in wrong else "",
                    "Field": name,
                    "Value": "" if value is None else str(value)[:_SHOWN_CHARACTERS],
                    "Problem": wrong.get(name, ""),
                }
                for name, value in ordered
            ],
            hide_index=True,
            height="content",
            alt="The fields of the event, those with a problem first",
        )


def _edit(row: dict[str, Any]) -> None:
    name, sent = name_of(row), _pretty(row["body"])
    body = st.text_area("The event, to be edited", sent, height=320, key=f"body {name}")
    if replays.show(name):
        return
    if row["replayed_at"]:
        st.info(
            f"This event was replayed {text.moment(row['replayed_at'])}; replaying it again would change "
            "nothing."
        )
        return
    problems = problems_of(body, repairs.receipt_of(row["received_at"]))
    # What is wrong with the event as it was sent stands above.
    if problems and body != sent:
        still = " ".join(layout.escape(problem.message) for problem in problems)
        st.warning(f"Not valid yet: {still}", icon=":material/warning:")
    if st.button(
        "Replay the event",
        type="primary",
        icon=":material/replay:",
        key=f"send {name}",
        disabled=bool(problems),
        help="Edit the event until it is valid." if problems else None,
    ):
        layout.attempt(lambda: _send(row, body))


def _send(row: dict[str, Any], body: str) -> None:
    require_operator()
    coordinate = (str(row["origin"]), int(row["offset"]), int(row["item"]))
    replays.follow(act(lambda: repairs.send_one(coordinate, body), _WAIT_SECONDS), name_of(row))


def _pretty(body: str) -> str:
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except ValueError:
        return body
