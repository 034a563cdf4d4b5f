"""Why a request is refused as a whole, and the one place that gives each reason its status.

What is wrong with single events is another matter: `clickstream.reasons`.
"""

from collections.abc import Mapping
from enum import StrEnum, unique
from typing import Final

import msgspec
from starlette.responses import Response

from clickstream.event.syntax import SyntaxProblem


@unique
class RefusalCode(StrEnum):
    """Why nothing of a request was taken."""

    INVALID_JSON = "invalid_json"
    INVALID_ENCODING = "invalid_encoding"
    INVALID_COMPRESSION = "invalid_compression"
    INVALID_PARAMETER = "invalid_parameter"
    TOO_DEEP = "too_deep"
    WRITE_KEY_MISSING = "write_key_missing"
    WRITE_KEY_UNKNOWN = "write_key_unknown"
    OPERATOR_TOKEN_MISSING = "operator_token_missing"  # noqa: S105 -- a code
    OPERATOR_TOKEN_WRONG = "operator_token_wrong"  # noqa: S105 -- a code
    HOST_NOT_ALLOWED = "host_not_allowed"
    ORIGIN_NOT_ALLOWED = "origin_not_allowed"
    NOT_FOUND = "not_found"
    EVENT_UNKNOWN = "event_unknown"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    BODY_TIMEOUT = "body_timeout"
    BODY_TOO_LARGE = "body_too_large"
    TOO_MANY_EVENTS = "too_many_events"
    UNSUPPORTED_CONTENT_TYPE = "unsupported_content_type"
    UNSUPPORTED_CONTENT_ENCODING = "unsupported_content_encoding"
    RATE_LIMITED = "rate_limited"
    INTERNAL_ERROR = "internal_error"
    BROKER_UNAVAILABLE = "broker_unavailable"
    CLICKHOUSE_UNAVAILABLE = "clickhouse_unavailable"


STATUSES: Final[Mapping[RefusalCode, int]] = {
    RefusalCode.INVALID_JSON: 400,
    RefusalCode.INVALID_ENCODING: 400,
    RefusalCode.INVALID_COMPRESSION: 400,
    RefusalCode.INVALID_PARAMETER: 400,
    RefusalCode.TOO_DEEP: 400,
    RefusalCode.WRITE_KEY_MISSING: 401,
    RefusalCode.WRITE_KEY_UNKNOWN: 401,
    RefusalCode.OPERATOR_TOKEN_MISSING: 401,
    RefusalCode.OPERATOR_TOKEN_WRONG: 401,
    RefusalCode.HOST_NOT_ALLOWED: 403,
    RefusalCode.ORIGIN_NOT_ALLOWED: 403,
    RefusalCode.NOT_FOUND: 404,
    RefusalCode.EVENT_UNKNOWN: 404,
    RefusalCode.METHOD_NOT_ALLOWED: 405,
    RefusalCode.BODY_TIMEOUT: 408,
    RefusalCode.BODY_TOO_LARGE: 413,
    RefusalCode.TOO_MANY_EVENTS: 413,
    RefusalCode.UNSUPPORTED_CONTENT_TYPE: 415,
    RefusalCode.UNSUPPORTED_CONTENT_ENCODING: 415,
    RefusalCode.RATE_LIMITED: 429,
    RefusalCode.INTERNAL_ERROR: 500,
    RefusalCode.BROKER_UNAVAILABLE: 503,
    RefusalCode.CLICKHOUSE_UNAVAILABLE: 503,
}

DESCRIPTIONS: Final[Mapping[RefusalCode, str]] = {
    RefusalCode.INVALID_JSON: "The body is not JSON; `problems` says where, and what was expected.",
    RefusalCode.INVALID_ENCODING: "The body is not UTF-8; `line` and `column` say where.",
    RefusalCode.INVALID_COMPRESSION: "The body cannot be decompressed, or was cut off.",
    RefusalCode.INVALID_PARAMETER: "A parameter in the address has a value that is not allowed.",
    RefusalCode.TOO_DEEP: "Objects and arrays are nested deeper than `limit` levels.",
    RefusalCode.WRITE_KEY_MISSING: "The service requires a write key, and the request has none.",
    RefusalCode.WRITE_KEY_UNKNOWN: "The write key is unknown or was revoked.",
    RefusalCode.OPERATOR_TOKEN_MISSING: "This address is for operators only, and the request has no token.",
    RefusalCode.OPERATOR_TOKEN_WRONG: "The token is not the operator token; write keys do not count.",
    RefusalCode.HOST_NOT_ALLOWED: "The service does not answer under the name in the `Host` header.",
    RefusalCode.ORIGIN_NOT_ALLOWED: "The site that the request comes from may not send events.",
    RefusalCode.NOT_FOUND: "There is nothing at this address.",
    RefusalCode.EVENT_UNKNOWN: "No event with this id is known.",
    RefusalCode.METHOD_NOT_ALLOWED: "The address does not support this method.",
    RefusalCode.BODY_TIMEOUT: "The body took longer to arrive than `limit` seconds.",
    RefusalCode.BODY_TOO_LARGE: "The body has more than `limit` bytes, as sent or decompressed.",
    RefusalCode.TOO_MANY_EVENTS: "The body has more than `limit` events.",
    RefusalCode.UNSUPPORTED_CONTENT_TYPE: "The `Content-Type` is not one of `accepted`.",
    RefusalCode.UNSUPPORTED_CONTENT_ENCODING: "The `Content-Encoding` is not one of `accepted`.",
    RefusalCode.RATE_LIMITED: "More than `limit` requests per second; wait `Retry-After` seconds.",
    RefusalCode.INTERNAL_ERROR: "An error in the service; its log has details. The request may be repeated.",
    RefusalCode.BROKER_UNAVAILABLE: "The broker is unavailable; nothing was accepted. See `Retry-After`.",
    RefusalCode.CLICKHOUSE_UNAVAILABLE: "ClickHouse is unavailable: events are accepted, not followed.",
}
"""For each code, what it means."""


class RefusalBody(msgspec.Struct, frozen=True, omit_defaults=True):
    """The JSON of a refusal; what does not apply is left out.

    Attributes:
        code: Why.
        message: What was received, what is allowed and what to do, in a sentence or two.
        limit: The limit that was exceeded.
        accepted: The values that are taken.
        line: Where in the body, from 1.
        column: Where in the line, from 1.
        expected: What was expected there.
        found: What is there.
        problems: All places that could be told.
    """

    code: RefusalCode
    message: str
    limit: float | None = None
    accepted: tuple[str, ...] | None = None
    line: int | None = None
    column: int | None = None
    expected: str | None = None
    found: str | None = None
    problems: tuple[SyntaxProblem, ...] | None = None


class Refusal(Exception):  # noqa: N818 -- what the service says, no fault of it
    """A request is refused as a whole.

    Attributes:
        body: What the client is told.
        headers: Headers of the answer.
    """

    def __init__(self, body: RefusalBody, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(body.code.value)
        self.body = body
        self.headers = dict(headers or {})

    def response(self) -> Response:
        """The answer."""
        return Response(
            msgspec.json.encode(self.body),
            status_code=STATUSES[self.body.code],
            headers=self.headers,
            media_type="application/json",
        )
