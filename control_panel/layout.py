"""What all pages share: frame, heading, and how a missing service, an empty system and a refusal look."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from clickstream.errors import ClickstreamError, ServiceUnavailableError
from control_panel import tables, text, verdict
from control_panel.accounts import Account
from control_panel.clients import mage, system
from control_panel.clients.exporter import components
from control_panel.clients.readings import Question, Reading, read_all
from control_panel.pages import PageInfo, Section, all_pages

T = TypeVar("T")

_STATUS_SECONDS: Final = 10
_STALE: Final = timedelta(seconds=60)
"""What is older than this says so."""

_MARK: Final = (
    "<path d='M4 2v17l4.6-4.3 2.9 6.5 2.9-1.3-2.8-6.3 6.2-.5z' fill='#2893b3'/>"
    "<path d='M14 5.5a8 8 0 0 1 4.5 4M15.5 2a12 12 0 0 1 6.5 6' fill='none' stroke='#2893b3' "
    "stroke-width='1.8'/>"
)
_LOGO: Final = (
    f"<svg xmlns='http://www.w3.org/2000/svg' width='30' height='30' viewBox='0 0 24 24'>{_MARK}</svg>"
)
_STYLE: Final = """
  [data-testid="stMetricValue"] { font-variant-numeric: tabular-nums; }
  [data-testid="stMainBlockContainer"] { padding-top: 3.5rem; max-width: 90rem; }
  /* White on the dark theme's primary colour would be too faint. */
  [data-testid^="stBaseButton-primary"] { background: #14657d; border-color: #14657d; color: #ffffff; }
  /* On a phone a graph from left to right keeps its size and scrolls; scaled down nobody could read it. */
  @media (max-width: 640px) {
    [data-testid="stMermaidChart"] { display: block; overflow-x: auto; }
    [data-testid="stMermaidChart"] img { max-width: none; width: auto; }
  }
  [data-testid="stCaptionContainer"] { color: inherit; opacity: 0.82; }
  /* Streamlit writes formulas from events into this file; the panel's own downloads escape them. */
  [data-testid="stElementToolbar"] button[aria-label^="Download as CSV"] { display: none; }
"""


def configure() -> None:
    """Set up the frame; the first thing in a run."""
    st.set_page_config(page_title="Clickstream", page_icon=_LOGO, layout="wide")
    st.html(f"<style>{_STYLE}{tables.STYLE}</style>")


def navigate(account: Account) -> None:
    """Show the navigation and run the chosen page."""
    sections: dict[str, list[Any]] = {section.value: [] for section in Section}
    for page in all_pages():
        info = page.info
        sections[info.section].append(
            st.Page(page.render, title=info.title, icon=info.icon, url_path=info.path, default=info.is_start)
        )
    # Signing in to Mage takes seconds, so it is done before somebody opens the page that needs it.
    mage.pipeline_names().start()
    chosen = st.navigation({name: pages for name, pages in sections.items() if pages})
    st.logo(_LOGO, size="large")
    with st.sidebar:
        status = st.container()
        _show_account(account)
    try:
        chosen.run()
    except ClickstreamError as error:
        show_problem(error)
    except Exception:
        _show_status_in(status)
        raise
    # After the page, which has asked its own questions by then and must not wait for these first.
    _show_status_in(status)


def _show_status_in(place: DeltaGenerator) -> None:
    with place:
        _show_status()


def session_ended() -> None:
    """Ask a person whose session has ended to sign in again."""
    st.warning("Your session has ended. Reload the page to sign in again.", icon=":material/lock:")


def heading(page: PageInfo, description: str) -> None:
    """The title of a page, and what it is for."""
    st.title(page.title, anchor=False)
    st.caption(description)


def show_problem(error: ClickstreamError) -> None:
    """Say what went wrong and what to do."""
    st.error(f"{escape(str(error))} {escape(error.hint)}".strip(), icon=":material/error:")


def attempt(action: Callable[[], T]) -> T | None:
    """Do what a button asks for; shows a refusal and gives None if it fails."""
    try:
        return action()
    except ClickstreamError as error:
        show_problem(error)
        return None


def part(reading: Reading[T], what: str) -> T | None:
    """The value of a part of a page, or None after the part has said why it is not there.

    Args:
        reading: What the service answered.
        what: What is shown here, at the start of a sentence: "The ledger".
    """
    if reading.problem is not None:
        is_away = isinstance(reading.problem, ServiceUnavailableError)
        st.warning(
            f"{what} can't be shown: {escape(str(reading.problem))} {escape(reading.problem.hint)}".strip(),
            icon=":material/cloud_off:" if is_away else ":material/error:",
        )
        return None
    if reading.value is None:
        st.info(f"{what}: waiting for an answer …", icon=":material/hourglass_empty:")
        return None
    if reading.is_waiting and reading.read_at and datetime.now(UTC) - reading.read_at > _STALE:
        st.caption(f"{what}: as read {text.age(reading.read_at)}, because the service is slow to answer.")
    return reading.value


def page_part(question: Question[T], what: str) -> T | None:
    """As `part`, outside of fragments: the page appears by itself once the answer is there.

    A service that is away is asked again until it is back.
    """
    value = part(question.read(), what)
    problem = question.reading().problem
    if value is None and (problem is None or isinstance(problem, ServiceUnavailableError)):
        _show_page_when_answered(question)
    return value


@st.fragment(run_every=1)
def _show_page_when_answered(question: Question[Any]) -> None:
    question.start()
    reading = question.reading()
    if reading.problem is None and (reading.value is not None or not reading.is_waiting):
        st.rerun()


def empty(message: str, icon: str = ":material/info:") -> None:
    """Say that there is nothing yet, and what to do first."""
    st.info(message, icon=icon)


def operators_only(action: str) -> None:
    """Tell a viewer what the page offers to operators.

    Args:
        action: What operators can do here, such as "start and stop generators".
    """
    st.caption(f":material/lock: Sign in as an operator to {action}.")


def browser_host() -> str:
    """The host name under which the browser has opened the panel; the other services are on the same one."""
    host = urlsplit(st.context.url or "").hostname or "127.0.0.1"
    return f"[{host}]" if ":" in host else host


def escape(value: str) -> str:
    """Text that Streamlit's Markdown must show as it is."""
    return "".join(f"\\{sign}" if sign in "\\`*_[]<>$:#~|" else sign for sign in value)


@st.fragment(run_every=_STATUS_SECONDS)
def _show_status() -> None:
    """Whether everything is well, on every page."""
    questions = (components(), system.completeness(), system.runs())
    read_all(*questions)
    readings = (questions[0].reading(), questions[1].reading(), questions[2].reading())
    if not verdict.is_known(*readings):
        st.caption(":material/hourglass_empty: Checking …")
        return
    found = verdict.concerns(*readings, datetime.now(UTC))
    if not found:
        st.caption(":green[:material/check_circle:] Everything is well")
    else:
        things = "One thing needs" if len(found) == 1 else f"{len(found)} things need"
        st.caption(
            f":red[:material/warning:] {things} attention", help="\n\n".join(one.what for one in found)
        )


def _show_account(account: Account) -> None:
    if not account.session_id:
        st.caption("Sign-in is turned off: everybody who opens this page is an operator.")
        return
    role = "can change things" if account.is_operator else "read-only"
    st.caption(f"Signed in as **{escape(account.name)}** ({role}). Times are UTC.")
    st.html(
        "<form method='post' action='/sign-out'><button type='submit' "
        "style='background:none;border:1px solid currentColor;border-radius:.5rem;color:inherit;"
        "cursor:pointer;font:inherit;padding:.25rem .75rem'>Sign out</button></form>"
    )
