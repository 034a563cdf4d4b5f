"""Upload CSV: upload a file, see what is in it, load it; the history of all loads."""

import streamlit as st

from control_panel import layout
from control_panel.pages import PageInfo, Section
from control_panel.parts import load_history, upload_files
from control_panel.session import is_operator

PAGE = PageInfo("Upload CSV", ":material/upload_file:", Section.DATA, 1, "upload")

_FRAME_HEIGHT = 220


def render() -> None:
    """Draw the page."""
    layout.heading(PAGE, "Upload a file of events or users, see what is in it, and load it.")
    if is_operator():
        st.iframe("/files/upload/upload.html", height=_FRAME_HEIGHT)
        upload_files.show()
    else:
        layout.operators_only("upload and load files")
    load_history.show()
