"""The kinds of users that the gateway knows."""

from enum import StrEnum


class Account(StrEnum):
    """What a client may do."""

    READER = "reader"
    DASHBOARDS = "dashboards"
    WRITER = "writer"

    @property
    def only_reads(self) -> bool:
        """Whether it may change nothing."""
        return self is not Account.WRITER
