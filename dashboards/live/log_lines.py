"""Superset's logs, as the other services write theirs."""

import logging
from typing import TYPE_CHECKING

from superset.utils.logging_configurator import LoggingConfigurator

from clickstream import logs

if TYPE_CHECKING:
    from flask.config import Config as FlaskConfig

SERVICE = "superset"


class JsonLogs(LoggingConfigurator):  # type: ignore[misc]
    """What Superset logs: warnings only, since at INFO it names who asks for what."""

    def configure_logging(self, app_config: "FlaskConfig", debug_mode: bool) -> None:
        """Called by Superset at its start."""
        del app_config, debug_mode
        logs.configure(SERVICE, logging.WARNING)
        logging.captureWarnings(True)
