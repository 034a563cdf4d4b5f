"""ClickHouse's error codes, and the HTTP status that a server answers with for each."""

import re
from enum import IntEnum
from typing import Final, Self


class Code(IntEnum):
    """The codes that the gateway itself gives; the engine gives many more."""

    UNSUPPORTED_METHOD = 1
    CANNOT_READ_ALL_DATA = 33
    BAD_ARGUMENTS = 36
    NOT_IMPLEMENTED = 48
    SYNTAX_ERROR = 62
    UNKNOWN_TYPE_OF_QUERY = 78
    UNKNOWN_SETTING = 115
    READONLY = 164
    TOO_MANY_SIMULTANEOUS_QUERIES = 202
    SOCKET_TIMEOUT = 209
    QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING = 216
    QUERY_IS_TOO_LARGE = 229
    CANNOT_DECOMPRESS = 271
    INTO_OUTFILE_NOT_ALLOWED = 358
    SESSION_NOT_FOUND = 372
    SESSION_IS_LOCKED = 373
    INVALID_SESSION_TIMEOUT = 374
    QUERY_WAS_CANCELLED = 394
    SETTING_CONSTRAINT_VIOLATION = 452
    ACCESS_DENIED = 497
    SET_NON_GRANTED_ROLE = 512
    AUTHENTICATION_FAILED = 516
    USER_SESSION_LIMIT_EXCEEDED = 700
    UNKNOWN_EXCEPTION = 1002


_OWN_CODES: Final = frozenset(Code)

# The statuses of ClickHouse's src/Server/HTTP/exceptionCodeToHTTPStatus.cpp; any other code is a 500.
_BAD_REQUEST: Final = (
    6, 8, 15, 25, 26, 27, 36, 37, 38, 41, 44, 53, 62, 72, 117, 123, 167, 168, 223,
    321, 376, 427, 441, 675, 676,
)  # fmt: skip
_NOT_FOUND: Final = (46, 47, 50, 56, 60, 63, 73, 78, 81, 115, 152, 336, 511)
_STATUS: Final[dict[int, int]] = (
    dict.fromkeys(_BAD_REQUEST, 400)
    | {194: 401}
    | dict.fromkeys((192, 193, 497, 512, 516), 403)
    | dict.fromkeys(_NOT_FOUND, 404)
    | {159: 408, 381: 411, 229: 413, 779: 415, 48: 501}
    | dict.fromkeys((76, 209, 439), 503)
)

# The engine names the code before the text, and repeats it where one exception wraps another.
_ENGINE_TEXT: Final = re.compile(r"Code: (\d+)\. DB::Exception: (.*)", re.DOTALL)


def http_status(code: int) -> int:
    """The HTTP status that a ClickHouse server answers with for an error code."""
    return _STATUS.get(code, 500)


class StatementError(Exception):
    """A statement failed, or was refused.

    Attributes:
        code: ClickHouse's error code.
        status: HTTP status of the answer.
        text: The message as a ClickHouse client expects it: `Code: 62. DB::Exception: …`.
        retry_after_seconds: When to try again; None if that would not help.
    """

    def __init__(self, code: int, message: str) -> None:
        name = f" ({Code(code).name})" if code in _OWN_CODES else ""
        self.code = int(code)
        self.status = http_status(code)
        self.retry_after_seconds: int | None = None
        self.text = f"Code: {self.code}. DB::Exception: {message}{name}"
        super().__init__(self.text)

    def without(self, tail: str) -> Self:
        """The same error, its message cut off before a text, at the name of its code."""
        message, found, rest = self.text.partition(tail)
        if found:
            name = rest.rpartition(" (")[2]
            self.text = f"{message} ({name}"
            self.args = (self.text,)
        return self

    @classmethod
    def from_engine(cls, error: BaseException) -> Self:
        """The error that the embedded engine raised, with its own code and text."""
        found = _ENGINE_TEXT.search(str(error))
        if found is None:
            return cls(Code.UNKNOWN_EXCEPTION, str(error))
        failure = cls(int(found[1]), "")
        failure.text = found[0]
        failure.args = (found[0],)
        return failure
