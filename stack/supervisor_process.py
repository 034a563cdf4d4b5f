"""Runs supervisord as it is, but for its log: a JSON object a line, like those of the services."""

import logging
import sys
from collections.abc import Mapping
from typing import Final

from supervisor.options import ServerOptions
from supervisor.supervisord import go

from clickstream.logs import JsonFormatter

_LEVELS: Final = {"CRIT": "CRITICAL", "ERRO": "ERROR", "WARN": "WARNING", "INFO": "INFO"}


class JsonLine:
    """Stands for the format of a line, which supervisord applies with `%`."""

    def __init__(self) -> None:
        self._formatter = JsonFormatter("supervisor")

    def __mod__(self, fields: Mapping[str, str]) -> str:
        """The line.

        Args:
            fields: What supervisord knows of it: `levelname` and `message`.
        """
        level = _LEVELS.get(fields["levelname"], "DEBUG")
        record = {"levelname": level, "name": "supervisor", "msg": fields["message"]}
        return f"{self._formatter.format(logging.makeLogRecord(record))}\n"


class Options(ServerOptions):  # type: ignore[misc]  # The library has no types.
    """supervisord's options, with another format of the log."""

    parse_criticals: list[str]
    parse_warnings: list[str]
    parse_infos: list[str]

    def make_logger(self) -> None:
        """Opens the log, and writes what was found in the configuration."""
        found = self.parse_criticals, self.parse_warnings, self.parse_infos
        self.parse_criticals, self.parse_warnings, self.parse_infos = [], [], []
        super().make_logger()
        for handler in self.logger.handlers:
            handler.setFormat(JsonLine())
        for write, messages in zip(
            (self.logger.critical, self.logger.warn, self.logger.info), found, strict=True
        ):
            for message in messages:
                write(message)


def main() -> None:
    """Supervises until asked to stop; the arguments are supervisord's."""
    options = Options()
    options.realize(sys.argv[1:], doc=__doc__)
    options.first, options.test = True, False
    go(options)
    options.close_httpservers()
    options.close_logger()


if __name__ == "__main__":
    main()
