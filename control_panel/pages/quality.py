"""Data quality: what was refused and why, mending it, and what Great Expectations found."""

from typing import Final

import streamlit as st

from control_panel import layout
from control_panel.pages import PageInfo, Section
from control_panel.parts import expectations, quarantine

PAGE = PageInfo("Data quality", ":material/rule:", Section.DATA, 2, "quality")

_PARTS: Final = {
    "Refused events": quarantine.show,
    "Expectations": expectations.show,
    "Warnings": expectations.show_warnings,
}


def render() -> None:
    """Draw the page."""
    layout.heading(
        PAGE,
        "Refused events, why they were refused, and their repair; the results of Great Expectations.",
    )
    chosen = st.segmented_control(
        "Part",
        list(_PARTS),
        default="Refused events",
        required=True,
        key="quality part",
        bind="query-params",
        label_visibility="collapsed",
    )
    _PARTS.get(chosen or "Refused events", quarantine.show)()
