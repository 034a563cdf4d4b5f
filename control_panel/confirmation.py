"""A button for what can't be undone at once: it says what will happen, and asks."""

import streamlit as st


def asked(label: str, consequence: str, *, key: str, icon: str, action: str | None = None) -> bool:
    """Draw the button; True once the person has read the consequence and agreed.

    Args:
        label: What the button says.
        consequence: What will happen, to how much, and what stays as it is.
        key: Identifies the button on its page.
        icon: A Material symbol.
        action: What the second button says; the same as the first by default.
    """
    with st.popover(label, icon=icon):
        st.markdown(consequence)
        return st.button(action or label, key=key, icon=icon, type="primary")
