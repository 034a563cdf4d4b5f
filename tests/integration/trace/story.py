"""What happens before the tests of `trace` ask; each event has a different id."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from clickhouse_connect.driver.client import Client

from clickstream.storage.raw import insert_raw
from tests.integration.etl.pipelines import run as process
from tests.integration.warehouse.rows import raw_rows

RECEIVED: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)
TOPIC: Final = "clickstream.events/0"

VIEW: Final = 2**64 - 1
CLICK: Final = 101
SENT_AS_TEXT: Final = 2**64 - 2
TWICE: Final = 103
INVALID: Final = 104
CUT_OFF: Final = 1_234_567_890
A_USER: Final = 987_654_321
FIXED: Final = 105
FIXED_TO_ANOTHER_ID: Final = 106
ANOTHER_ID: Final = 107
WAITING: Final = 108
WAITING_ALONE: Final = 110
QUIET_SESSION: Final = "s-quiet"
WITHOUT_END: Final = 109
"""An id that is sent thousands of times."""

TIMES: Final = 3_000

VIEW_OFFSET: Final = 0
TWICE_OFFSETS: Final = (3, 4)
FIXED_OFFSET: Final = 8
FIXED_TO_ANOTHER_OFFSET: Final = 9
WAITING_OFFSET: Final = 10


def event(event_id: object, **changes: object) -> str:
    """An event of the last day of February as JSON text."""
    fields: Mapping[str, object] = {
        "id": event_id,
        "type": "view",
        "created_at": "2026-02-28T23:59:59.5Z",
        "session_id": "s1",
        "user_id": 7,
        "url": "/cart",
        "payload": {"event_title": "checkout", "element_id": "#buy", "x": 1, "y": 2},
    }
    return json.dumps({**fields, **changes})


def happen(client: Client) -> None:
    """Receive everything, process, replay, process, and receive once more."""
    bodies = (
        event(VIEW),
        event(CLICK, type="click"),
        event(str(SENT_AS_TEXT)),
        event(TWICE),
        event(TWICE),
        event(INVALID, type="scroll", url=""),
        event(CUT_OFF)[:-1],
        event(1, user_id=A_USER, type="scroll"),
        event(FIXED, url=""),
        event(FIXED_TO_ANOTHER_ID, url=""),
    )
    rows: list[dict[str, Any]] = [_row(offset, body) for offset, body in enumerate(bodies)]
    rows[TWICE_OFFSETS[1]]["source"] = "http"
    _receive(client, rows)
    process()
    replays = ((FIXED, FIXED_OFFSET), (ANOTHER_ID, FIXED_TO_ANOTHER_OFFSET))
    _receive(
        client,
        [
            _row(number, event(event_id), source="replay", origin="replay", replay_of=f"{TOPIC}:{offset}:0")
            for number, (event_id, offset) in enumerate(replays, start=1)
        ],
    )
    process()
    often = event(WITHOUT_END)
    _receive(client, [_row(number, often, origin="http/0", source="http") for number in range(TIMES)])
    process()
    alone = event(WAITING_ALONE, session_id=QUIET_SESSION)
    _receive(client, [_row(WAITING_OFFSET, event(WAITING)), _row(WAITING_OFFSET + 1, alone)])


def _row(offset: int, body: str, **changes: str) -> dict[str, Any]:
    row = {"source": "broker", "origin": TOPIC, "offset": offset, "body": body, "received_at": RECEIVED}
    return {**row, **changes}


def _receive(client: Client, rows: list[dict[str, Any]]) -> None:
    insert_raw(client, raw_rows(rows), rows[0]["body"])
