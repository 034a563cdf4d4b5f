"""The OpenAPI document, made from the contract, so that it can't say anything else."""

from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api.admission import KEY_PARAMETER
from api.bodies import CONTENT_ENCODINGS, CONTENT_TYPES
from api.deps import IDS_PARAMETER, SENT_AT_PARAMETER, SOURCE_PARAMETER
from api.judging import NoteCode
from api.refusals import DESCRIPTIONS as REFUSAL_DESCRIPTIONS
from api.refusals import STATUSES, RefusalCode
from api.senders import EventSource
from clickstream.contract import FIELDS, Field, Kind
from clickstream.reasons import DESCRIPTIONS as ERROR_DESCRIPTIONS
from clickstream.reasons import ErrorCode
from clickstream.settings import Settings

# The JSON of OpenAPI has no narrower type.
Json = dict[str, Any]

EXAMPLE_EVENT: Final[Json] = {
    "type": "click",
    "session_id": "s-77",
    "user_id": 42,
    "url": "/catalog?foo=bar",
    "created_at": "2025-01-01T10:00:00Z",
    "user_agent": "Mozilla/5.0 (X11; Linux x86_64)",
    "payload": {"event_title": "checkout", "element_id": "#submit-button", "x": 445, "y": 315},
}
"""The brief's example, its two slips corrected."""

EXAMPLE_TRACE: Final[Json] = {
    "id": "18446744073709551615",
    "state": "stored",
    "receipts": [
        {
            "source": "http",
            "origin": "clickstream.events/0",
            "offset": "1042",
            "item": 0,
            "received_at": "2025-01-01T10:00:00.120Z",
            "loaded_at": "2025-01-01T10:00:01.305Z",
            "fate": "stored",
            "decided_at": "2025-01-01T10:00:42.017Z",
            "event_id": "18446744073709551615",
            "created_at": "2025-01-01T10:00:00Z",
            "type": "click",
            "errors": [],
            "replayed_at": None,
            "replay_of": "",
            "body": '{"id":18446744073709551615,"type":"click"}',
        }
    ],
    "days": [
        {
            "date": "2025-01-01",
            "marts": ["page_view_days"],
            "rebuilt_at": "2025-01-01T10:00:43.250Z",
            "run_id": "9f0c2d",
        }
    ],
    "receipts_left_out": 0,
}

_EVENTS: Final = {"$ref": "#/components/schemas/Events"}
_STATUS_TEXTS: Final = {
    400: "The body can't be read.",
    401: "A valid write key is needed.",
    403: "This site may not send here, or the service does not answer under this host name.",
    404: "There is nothing here.",
    405: "The address does not take this method.",
    408: "The body did not arrive in time.",
    413: "Too large, before or after decompression, or too many events.",
    415: "The type or the encoding of the body is not taken.",
    429: "Too many requests.",
    500: "A fault of the service.",
    503: "The broker is away. Nothing was accepted; repeat the request.",
}
_RETRY_AFTER: Final[Json] = {
    "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 0}}
}


def describe(app: FastAPI, settings: Settings) -> None:
    """Gives the application its OpenAPI document."""
    document: Json = {}

    def openapi() -> Json:
        if not document:
            document.update(_document(app, settings))
        return document

    app.openapi = openapi  # type: ignore[method-assign]


def _document(app: FastAPI, settings: Settings) -> Json:
    document = get_openapi(
        title=app.title, version=app.version, description=_introduction(settings), routes=app.routes
    )
    document["components"]["schemas"] |= _schemas()
    document["components"]["securitySchemes"] = {
        "operator": {"type": "http", "scheme": "bearer", "description": "The operators' token."},
        "bearer": {"type": "http", "scheme": "bearer", "description": "A write key."},
        "parameter": {
            "type": "apiKey",
            "in": "query",
            "name": KEY_PARAMETER,
            "description": "A write key, for `sendBeacon`, which can't set headers.",
        },
    }
    paths = document["paths"]
    paths["/events"]["post"] |= _post_events()
    paths["/events/{id}"]["get"] |= _get_event(paths["/events/{id}"]["get"]["responses"]["200"])
    paths["/health/ready"]["get"]["responses"]["503"] = {
        "description": "Events can't be taken now.",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Readiness"}}},
    }
    paths["/metrics"]["get"]["responses"]["200"]["content"] = {"text/plain": {"schema": {"type": "string"}}}
    return document


def _introduction(settings: Settings) -> str:
    api = settings.api
    return "\n".join(
        [
            "Takes views and clicks in, and answers once the broker has them.",
            "",
            f"At most {api.max_events} events and {api.max_body_bytes} bytes a request, "
            f"{api.max_expanded_bytes} bytes once decompressed, {api.max_depth} levels of nesting.",
            "",
            "### What is wrong with an event",
            "",
            "| code | meaning | what to do |",
            "| --- | --- | --- |",
            *(f"| `{code}` | {' | '.join(ERROR_DESCRIPTIONS[code])} |" for code in ErrorCode),
            "",
            "### What is wrong with a request",
            "",
            "| status | code | meaning |",
            "| --- | --- | --- |",
            *(f"| {STATUSES[code]} | `{code}` | {REFUSAL_DESCRIPTIONS[code]} |" for code in RefusalCode),
        ]
    )


def _post_events() -> Json:
    return {
        "summary": "Send events",
        "description": "An array of events, or one event. The good ones are accepted; the others come back "
        "with what is wrong with them, and are kept in the quarantine, where they can be fixed and replayed. "
        "An event without an `id` gets a hash of its content, so repeating a request counts nothing twice.",
        "security": [{}, {"bearer": []}, {"parameter": []}],
        "parameters": [
            {
                "name": SOURCE_PARAMETER,
                "in": "query",
                "description": "What sends: the tracker names itself.",
                "schema": {"type": "string", "enum": list(EventSource), "default": EventSource.HTTP},
            },
            {
                "name": SENT_AT_PARAMETER,
                "in": "query",
                "description": "When the body is sent, by the clock of its sender. If that differs from the "
                "receipt by more than 5 seconds, each `created_at` is moved by the difference.",
                "schema": {"type": "string", "examples": ["2025-01-01T10:00:00.120Z"]},
            },
            {
                "name": IDS_PARAMETER,
                "in": "query",
                "description": "1: the answer has the ids of the accepted events.",
                "schema": {"type": "string", "enum": ["1"]},
            },
            {
                "name": "Content-Encoding",
                "in": "header",
                "description": "How the body is compressed.",
                "schema": {"type": "string", "enum": list(CONTENT_ENCODINGS)},
            },
        ],
        "requestBody": {
            "required": True,
            "content": {
                media_type: {
                    "schema": _EVENTS,
                    "examples": {
                        "several": {"summary": "Several events", "value": [EXAMPLE_EVENT]},
                        "one": {"summary": "One event", "value": EXAMPLE_EVENT},
                    },
                }
                for media_type in CONTENT_TYPES
            },
        },
        "responses": _post_responses(),
    }


def _post_responses() -> Json:
    answer = {"application/json": {"schema": {"$ref": "#/components/schemas/Answer"}}}
    responses: Json = {
        "202": {"description": "Some events, or all of them, are accepted.", "content": answer},
        "422": {"description": "All events break the contract.", "content": answer},
    }
    for status in sorted({STATUSES[code] for code in RefusalCode} - {404, 405}):
        responses[str(status)] = _refused(status, _STATUS_TEXTS[status])
    return responses


def _refused(status: int, description: str) -> Json:
    return {
        "description": description,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Refusal"}}},
        **({"headers": _RETRY_AFTER} if status in (429, 503) else {}),
    }


def _get_event(found: Json) -> Json:
    found["content"]["application/json"]["example"] = EXAMPLE_TRACE
    texts = {
        400: "The text is not an event id.",
        401: "The operator token is required.",
        404: "No event with this id is known.",
        429: _STATUS_TEXTS[429],
        500: _STATUS_TEXTS[500],
        503: "ClickHouse is unavailable. Repeat the request.",
    }
    return {
        "summary": "Follow an event",
        "description": "Where an event came in, what became of it and why, and in which days it counts. It "
        "shows personal data, so it asks for the token of operators, `CLICKSTREAM_API__OPERATOR_TOKEN` in "
        "the settings file; a write key does not do.",
        "security": [{"operator": []}],
        "parameters": [
            {
                "name": "id",
                "in": "path",
                "required": True,
                "description": "The event's id.",
                "schema": {"type": "string", "pattern": "^[0-9]{1,20}$"},
                "example": EXAMPLE_TRACE["id"],
            }
        ],
        "responses": {
            "200": found | {"description": "What is known."},
            **{str(status): _refused(status, text) for status, text in texts.items()},
        },
    }


def _schemas() -> Json:
    return {
        "Events": {
            "oneOf": [
                {"type": "array", "items": {"$ref": "#/components/schemas/Event"}},
                {"$ref": "#/components/schemas/Event"},
            ]
        },
        "Event": _object_schema([field for field in FIELDS if not field.is_in_payload]),
        "Payload": _object_schema([field for field in FIELDS if field.is_in_payload]),
        "Answer": {
            "type": "object",
            "required": ["accepted", "rejected", "errors"],
            "properties": {
                "accepted": {"type": "integer", "description": "Events that the broker has acknowledged."},
                "rejected": {"type": "integer", "description": "Events that went to the quarantine."},
                "errors": {"type": "array", "items": {"$ref": "#/components/schemas/EventProblem"}},
                "known": {
                    "type": "integer",
                    "description": "Of the accepted events, those that the service remembers to have "
                    "accepted before; they count once. Left out where it is 0.",
                },
                "errors_left_out": {"type": "integer", "description": "Errors beyond those listed."},
                "warnings": {
                    "type": "array",
                    "items": {"$ref": "#/components/schemas/EventProblem"},
                    "description": "Optional values of accepted events that can't be used; the events are "
                    "stored without them. With the code `unknown_field`, top-level fields that are not part "
                    "of the contract, each once. Omitted when empty.",
                },
                "warnings_left_out": {"type": "integer", "description": "Warnings beyond those listed."},
                "ids": {
                    "type": "array",
                    "items": {"type": ["string", "null"]},
                    "description": "For each event of the request its id, null if it was rejected. Only with "
                    f"`{IDS_PARAMETER}=1`.",
                },
                "advice": {
                    "type": "string",
                    "description": "That rejected events are kept, and how to repair them. Omitted when none "
                    "were rejected.",
                },
            },
        },
        "EventProblem": {
            "type": "object",
            "required": ["index", "code", "field", "message", "value"],
            "properties": {
                "index": {"type": "integer", "description": "Place in the array, from 0."},
                "code": {
                    "anyOf": [
                        {"$ref": "#/components/schemas/ErrorCode"},
                        {"type": "string", "enum": list(NoteCode)},
                    ]
                },
                "field": {"type": "string", "description": "Empty for the event as a whole."},
                "message": {"type": "string"},
                "value": {"type": "string", "description": "What was received, cut to 200 characters."},
            },
        },
        "ErrorCode": {"type": "string", "enum": list(ErrorCode)},
        "Refusal": {
            "type": "object",
            "required": ["code", "message"],
            "properties": {
                "code": {"type": "string", "enum": list(RefusalCode)},
                "message": {"type": "string"},
                "limit": {"type": "number"},
                "accepted": {"type": "array", "items": {"type": "string"}},
                "line": {"type": "integer"},
                "column": {"type": "integer"},
                "expected": {"type": "string"},
                "found": {"type": "string"},
                "problems": {"type": "array", "items": {"type": "object"}},
            },
        },
    }


def _object_schema(fields: list[Field]) -> Json:
    return {
        "type": "object",
        "required": [field.key for field in fields if field.required or field.kind is Kind.PAYLOAD],
        "properties": {field.key: _field_schema(field) for field in fields},
        "additionalProperties": True,
    }


def _field_schema(field: Field) -> Json:
    """One field: each JSON type that it takes, and null where it may be absent."""
    parts = [_typed_schema(field, json_type) for json_type in field.json_types]
    if not field.required and field.kind is not Kind.PAYLOAD:
        parts.append({"type": "null"})
    notes = [field.description, f"Must be {field.rule}."]
    if field.spelling is not None:
        notes.append(f"Read: {field.spelling.description}.")
    if field.is_dispensable:
        notes.append("A value that can't be used earns a warning, and the event is stored without it.")
    if field.required_for_click:
        notes.append("Required for a click.")
    if field.when_absent:
        notes.append(f"When absent: {field.when_absent}.")
    return {**(parts[0] if len(parts) == 1 else {"anyOf": parts}), "description": " ".join(notes)}


def _typed_schema(field: Field, json_type: str) -> Json:
    match field.kind, json_type:
        case Kind.UINT, "number":
            return {"type": "integer", "minimum": 0, "maximum": 2**field.bits - 1}
        case Kind.UINT, _:
            return {"type": "string", "pattern": "^[0-9]{1,20}(\\.0+)?$"}
        case Kind.POSITION, "number":
            return {"type": "number", "maximum": 2**field.bits - 1}
        case Kind.POSITION, _:
            return {"type": "string", "pattern": "^[+-]?[0-9]{1,20}(\\.[0-9]+)?$"}
        case Kind.PAYLOAD, "object":
            return {"$ref": "#/components/schemas/Payload"}
    text: Json = {"type": "string", "examples": [field.example]}
    if field.kind is Kind.CHOICE:
        text["examples"] = list(field.choices)
    if field.max_length is not None:
        text |= {"minLength": int(field.required), "maxLength": field.max_length}
    return text
