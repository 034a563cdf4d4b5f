"""The panel as a web application: Streamlit's, with our guard before it and our routes beside it."""

import logging
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from typing import Final

import streamlit as st
from starlette.middleware import Middleware

from clickstream.errors import ClickstreamError
from clickstream.settings import Settings, get_settings, require_secrets
from control_panel import metrics
from control_panel.accounts import Accounts
from control_panel.guard import Guard, allowed_host_check
from control_panel.observed import Observed
from control_panel.routes import make_routes
from serving import host_names

logger: Final = logging.getLogger(__name__)
SCRIPT: Final = Path(__file__).parent / "script" / "app.py"


class UnsafeSettingsError(ClickstreamError):
    """The settings would open the panel to others without a password."""


@cache
def accounts() -> Accounts:
    """The accounts of this process, shared by the guard and the pages."""
    return Accounts(get_settings().panel)


def create_app(settings: Settings) -> st.App:
    """The panel's application.

    Raises:
        UnsafeSettingsError: Sign-in is off though others could reach the panel.
        ClickstreamError: A secret of the panel is not set.
    """
    if not settings.panel.sign_in and not _is_loopback(settings.stack.host):
        raise UnsafeSettingsError(
            f"CLICKSTREAM_PANEL__SIGN_IN is off, but the panel would listen on {settings.stack.host}.",
            hint="Turn sign-in on, or set CLICKSTREAM_STACK__HOST=127.0.0.1.",
        )
    require_secrets(settings, "panel")
    hosts = f"{settings.panel.allowed_hosts},{settings.stack.host}"
    return st.App(
        SCRIPT,
        routes=make_routes(accounts()),
        middleware=[
            Middleware(Observed),
            Middleware(
                Guard,
                accounts=accounts(),
                is_allowed_host=allowed_host_check(hosts),
                is_allowed_for_metrics=host_names.allowed_host_check(settings.monitoring.allowed_hosts),
            ),
        ],
        on_script_error=_show_failure,
    )


def _show_failure(error: Exception) -> bool:
    """Log what failed, and show a sentence instead of a traceback."""
    metrics.PAGE_FAILURES.inc()
    logger.error("A page failed.", exc_info=error)
    st.error(
        "This part of the page failed. The other pages still work; the panel's log "
        "(`make logs SERVICE=panel`) has the details. Reload the page to try again.",
        icon=":material/error:",
    )
    return True


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
