"""What a client asks for, as read from the address, the parameters and the headers of a request."""

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request

from stack.gateway.accounts import Account
from stack.gateway.errors import Code, StatementError

_DEFAULT_SESSION_SECONDS: Final = 60
_MAX_SESSION_SECONDS: Final = 3600

# Parameters that steer the HTTP interface; whatever else is not a `param_…` is a setting of the statement.
_INTERFACE_PARAMETERS: Final = frozenset(
    {
        "query", "database", "user", "password", "quota_key", "query_id", "stacktrace", "role",
        "session_id", "session_timeout", "session_check", "close_session",
        "default_format", "compress", "decompress", "client_protocol_version",
        "buffer_size", "wait_end_of_query", "http_response_buffer_size", "http_wait_end_of_query",
        "enable_http_compression", "http_zlib_compression_level", "add_http_cors_header",
        "cancel_http_readonly_queries_on_client_close", "replace_running_query", "readonly",
        "send_progress_in_http_headers", "http_headers_progress_interval_ms",
    }
)  # fmt: skip
_SETTING_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*")
# A server reads as much of an address (http_max_uri_size).
_MAX_ADDRESS_BYTES: Final = 1024 * 1024
_FORMAT_NAME: Final = re.compile(r"\w*")
_MAX_ID_CHARACTERS: Final = 256
# Stands between an account and its query's id. No id may hold it, so no account can take another's.
_SEPARATOR: Final = "\x1f"


@dataclass(frozen=True)
class SessionRequest:
    """The session that a statement belongs to."""

    session_id: str
    timeout_seconds: int
    must_exist: bool


@dataclass(frozen=True)
class Call:
    """A request to run a statement.

    Attributes:
        account: Who asks.
        query: The beginning of the statement, from the address; the body goes on from there.
        parameters: Values of the statement's `{name:Type}` placeholders.
        settings: Settings for this statement alone.
        query_id: The client's name for the statement, or one made up.
        database: Where unqualified names are looked up; empty for the session's own.
        default_format: Output format for a query that names none.
        session: The session it belongs to, if any.
        reads_only: A statement that changes anything is to be refused.
        waits_for_end: The answer is sent when the statement has ended, so that its status tells how.
        replaces_running: Ends a running statement with the same id.
        content_encoding: How the body is compressed.
        accepted_encodings: How the answer may be compressed.
        content_type: Media type of the body.
    """

    account: Account
    query: bytes
    parameters: Mapping[str, str]
    settings: Mapping[str, str]
    query_id: str
    database: str
    default_format: str
    session: SessionRequest | None
    reads_only: bool
    waits_for_end: bool
    replaces_running: bool
    content_encoding: str
    accepted_encodings: str
    content_type: str

    @property
    def running_name(self) -> str:
        """Under this name the statement runs: the client's id, apart from those of other accounts."""
        return f"{self.account}{_SEPARATOR}{self.query_id}" if self.account.only_reads else self.query_id


def client_query_id(running_name: str) -> str:
    """The id that a client gave to the statement that runs under a name."""
    return running_name.rpartition(_SEPARATOR)[2]


def read_call(request: Request, account: Account) -> Call:
    """The call that a request makes.

    Raises:
        StatementError: A parameter has no meaning here, or a wrong value; or there is too much of them.
    """
    size = len(request.scope["query_string"])
    if size > _MAX_ADDRESS_BYTES:
        raise StatementError(
            Code.QUERY_IS_TOO_LARGE,
            f"The address has {size} bytes, and at most {_MAX_ADDRESS_BYTES} are allowed: "
            "send parameters as fields of a form, or in parts",
        )
    params = dict(request.query_params)
    headers = request.headers
    _refuse_unsupported(params)
    http_compression = _is_on(params.get("enable_http_compression", "1"))
    return Call(
        account=account,
        query=params.get("query", "").encode(),
        parameters={name[6:]: value for name, value in params.items() if name.startswith("param_")},
        settings=_settings(params),
        query_id=_query_id(params.get("query_id") or headers.get("x-clickhouse-query-id", "")),
        database=params.get("database") or headers.get("x-clickhouse-database", ""),
        default_format=_format_name(params.get("default_format") or headers.get("x-clickhouse-format", "")),
        session=_session(params),
        reads_only=request.method != "POST" or params.get("readonly", "0") != "0",
        waits_for_end=_is_on(params.get("wait_end_of_query", "0"))
        or _is_on(params.get("http_wait_end_of_query", "0")),
        replaces_running=_is_on(params.get("replace_running_query", "0")),
        content_encoding=headers.get("content-encoding", ""),
        accepted_encodings=headers.get("accept-encoding", "") if http_compression else "",
        content_type=headers.get("content-type", ""),
    )


def _query_id(given: str) -> str:
    """The client's id for its query, or one made up; it comes back in a header."""
    if len(given) > _MAX_ID_CHARACTERS or not given.isprintable():
        raise StatementError(
            Code.BAD_ARGUMENTS,
            f"The query_id {given[:40]!r} is invalid: at most {_MAX_ID_CHARACTERS} printable characters",
        )
    return given or str(uuid.uuid4())


def _format_name(given: str) -> str:
    if not _FORMAT_NAME.fullmatch(given):
        raise StatementError(Code.BAD_ARGUMENTS, f"The format {given[:40]!r} is not a name")
    return given


def _settings(params: Mapping[str, str]) -> dict[str, str]:
    settings = {}
    for name, value in params.items():
        if name in _INTERFACE_PARAMETERS or name.startswith("param_"):
            continue
        if not _SETTING_NAME.fullmatch(name):
            raise StatementError(
                Code.UNKNOWN_SETTING, f"Setting {name!r} is neither a builtin setting nor a name"
            )
        settings[name] = value
    return settings


def _session(params: Mapping[str, str]) -> SessionRequest | None:
    session_id = params.get("session_id", "")
    if not session_id:
        return None
    text = params.get("session_timeout", str(_DEFAULT_SESSION_SECONDS))
    if not text.isdecimal() or int(text) > _MAX_SESSION_SECONDS:
        raise StatementError(
            Code.INVALID_SESSION_TIMEOUT,
            f"Session timeout '{text}' is invalid: it is a number of seconds, at most {_MAX_SESSION_SECONDS}",
        )
    return SessionRequest(session_id, int(text), _is_on(params.get("session_check", "0")))


def _refuse_unsupported(params: Mapping[str, str]) -> None:
    if _is_on(params.get("compress", "0")) or _is_on(params.get("decompress", "0")):
        raise StatementError(
            Code.NOT_IMPLEMENTED,
            "ClickHouse's own block compression (compress=1, decompress=1) is not supported: "
            "use Accept-Encoding and Content-Encoding with lz4, zstd, gzip or deflate",
        )
    if params.get("role"):
        raise StatementError(Code.SET_NON_GRANTED_ROLE, "Roles are fixed: each user has its own")


def _is_on(value: str) -> bool:
    return value.lower() in ("1", "true", "yes")
