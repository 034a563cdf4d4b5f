"""Test data: live generators, files with answer keys, and the proof that the marts are right."""

from typing import Final

import streamlit as st

from control_panel import layout
from control_panel.pages import PageInfo, Section
from control_panel.parts import data_files, live_generators, verification

PAGE = PageInfo("Generators", ":material/bolt:", Section.SYSTEM, 2, "generators")

_PARTS: Final = {
    "Live": live_generators.show,
    "Files": data_files.show,
    "Verify": verification.show,
}


def render() -> None:
    """Draw the page."""
    layout.heading(
        PAGE,
        "Test data: the visitors of an invented shop, live or as files. Every metric is known in advance.",
    )
    chosen = st.segmented_control(
        "Part",
        list(_PARTS),
        default="Live",
        required=True,
        key="part",
        bind="query-params",
        label_visibility="collapsed",
    )
    _PARTS.get(chosen or "Live", live_generators.show)()
