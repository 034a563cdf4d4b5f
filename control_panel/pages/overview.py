"""Is everything well, and where is everything?"""

from urllib.parse import urlsplit

import streamlit as st

from control_panel import layout
from control_panel.clients.addresses import service_links
from control_panel.pages import PageInfo, Section

PAGE = PageInfo("Overview", ":material/monitor_heart:", Section.SYSTEM, 1, "overview", is_start=True)


def render() -> None:
    """Draw the page."""
    layout.heading(PAGE, "The system at a glance.")
    _show_links()


def _show_links() -> None:
    st.subheader("Go to", anchor=False)
    host = urlsplit(st.context.url or "").hostname or "127.0.0.1"
    with st.grid(min_column_width=220):
        for link in service_links(f"[{host}]" if ":" in host else host):
            with st.container(border=True):
                st.markdown(f"**[{link.title}]({link.url})**")
                st.caption(link.purpose)
