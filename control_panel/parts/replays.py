"""A replay on its way: the run that sends repaired events, and the ledger in which they arrive."""

import re
from typing import Final

import streamlit as st

from clickstream.mage_api import RunStatus
from control_panel import layout
from control_panel.clients import mage, quality, system
from control_panel.clients.readings import read_all
from control_panel.repairs import Replay

_LIVE_SECONDS: Final = 2
_REPLAY: Final = "replay"
"""In the address, so that a replay can be left and found again."""

_PLACE: Final = "place of the replay"
"""In the session: the run, and the part of the page that asked for it."""

_SEEN: Final = "replay that was seen to end"
_RUN_ID: Final = re.compile(r"[0-9]{1,18}")
_SOURCE: Final = "replay"


def follow(replay: Replay | None, place: str) -> None:
    """Show a replay that was just asked for.

    Args:
        replay: What is replayed; None if Mage has not answered in time.
        place: The part of the page that asked for it, which shows it from now on.
    """
    if replay is None:
        st.info("The replay was asked for, but Mage is slow to answer. The page Pipelines shows its run.")
        return
    st.query_params[_REPLAY] = str(replay.run_id)
    st.session_state[_PLACE] = (replay.run_id, place)
    st.rerun()


def show(place: str) -> bool:
    """Draw the replay that a part of the page has asked for; gives whether there is one."""
    run_id = _asked()
    if run_id is None or st.session_state.get(_PLACE) != (run_id, place):
        return False
    _show_live(run_id)
    return True


def show_found_again() -> None:
    """Draw the replay of the address, if no part of this page has asked for it."""
    run_id = _asked()
    if run_id is not None and st.session_state.get(_PLACE, (None,))[0] != run_id:
        _show_live(run_id)


def show_any() -> None:
    """Draw the replay of the address, wherever it was asked for."""
    run_id = _asked()
    if run_id is not None:
        _show_live(run_id)


def _asked() -> int | None:
    asked = st.query_params.get(_REPLAY, "")
    return int(asked) if _RUN_ID.fullmatch(asked) else None


@st.fragment(run_every=_LIVE_SECONDS)
def _show_live(run_id: int) -> None:
    questions = mage.runs_of(quality.PIPELINE), system.ledger()
    read_all(*questions)
    runs = layout.part(questions[0].reading(), "The replay")
    if runs is None:
        return
    run = next((one for one in runs if one.id == run_id), None)
    if run is not None and run.ended and st.session_state.get(_SEEN) != run_id:
        # The rest of the page still shows the events as they stood before.
        st.session_state[_SEEN] = run_id
        quality.forget()
        st.rerun()
    with st.container(border=True):
        if run is None or not run.ended:
            st.info("The repaired events are being sent …", icon=":material/hourglass_top:")
        elif run.status is not RunStatus.COMPLETED:
            st.error(
                f"The replay did not succeed ({run.status}). [Its run]({mage.run_address(run)}) shows why. "
                "Nothing is counted twice if you replay the events again.",
                icon=":material/error:",
            )
        else:
            st.success(
                "The repaired events were sent. The next run of process_events, within about a minute, "
                "stores them. Replaying an event twice changes nothing.",
                icon=":material/check:",
            )
        _show_ledger(questions[1].reading().value)
        if st.button("Close", key="close the replay", icon=":material/close:"):
            st.query_params.pop(_REPLAY, None)
            st.rerun()


def _show_ledger(ledger: system.Ledger | None) -> None:
    rows = [row for row in ledger.by_source() if row["source"] == _SOURCE] if ledger else []
    if not rows:
        return
    row = rows[0]
    st.markdown(
        f"**Ledger of all replays**: {row['received']:,} received = {row['stored']:,} stored + "
        f"{row['duplicate']:,} duplicates + {row['quarantined']:,} quarantined + {row['pending']:,} pending"
        + (f" + {row['erased']:,} erased" if row["erased"] else "")
        + "."
    )
