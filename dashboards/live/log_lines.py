"""Superset's logs and those of its web server, as the other services write theirs."""

import logging
from typing import TYPE_CHECKING

from gunicorn.config import Config  # type: ignore[import-untyped]
from gunicorn.glogging import Logger  # type: ignore[import-untyped]
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


class ServerLogger(Logger):  # type: ignore[misc]
    """What gunicorn logs."""

    def setup(self, cfg: Config) -> None:
        """Called by gunicorn at its start, before it loads Superset, which prints a line or two."""
        logs.capture_output(SERVICE)
        super().setup(cfg)
        for handler in self.error_log.handlers:
            handler.setFormatter(logs.JsonFormatter(SERVICE))
