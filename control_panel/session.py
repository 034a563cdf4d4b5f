"""Who looks at the page that is being made."""

import streamlit as st

from clickstream.errors import ClickstreamError
from control_panel.accounts import Account
from control_panel.server import accounts


class NotAllowedError(ClickstreamError):
    """The account is read-only."""


def current_account() -> Account | None:
    """The account of this browser; None once its session has ended."""
    return accounts().account_in(st.context.cookies)


def is_operator() -> bool:
    """Whether the person may change things."""
    account = current_account()
    return account is not None and account.is_operator


def require_operator() -> Account:
    """The operator who asks for a change. Call it right before the change, not only when drawing its button.

    Raises:
        NotAllowedError: The person is a viewer, or their session has ended.
    """
    account = current_account()
    if account is None:
        raise NotAllowedError("Your session has ended.", hint="Reload the page to sign in again.")
    if not account.is_operator:
        raise NotAllowedError(
            f"The account {account.name} is read-only.", hint="Sign in as an operator to change things."
        )
    return account
