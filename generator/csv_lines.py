"""One event as one CSV line."""

import json
from datetime import UTC, datetime
from typing import Final

from generator.quirks import write_payload
from generator.sessions import Event, Session
from generator.shop import PAGES, Element

COLUMNS: Final = (
    "id",
    "type",
    "created_at",
    "session_id",
    "ip",
    "user_id",
    "url",
    "referrer",
    "device_type",
    "user_agent",
    "payload",
)

_MINUTE_MS: Final = 60_000


def format_line(cells: dict[str, str]) -> str:
    """A CSV line, its end included, of cells by column."""
    return ",".join(quote_cell(cells[column]) for column in COLUMNS) + "\n"


def quote_cell(text: str) -> str:
    """A cell as RFC 4180 wants it: in quotes if it holds a comma, a quote or a line break."""
    if "," in text or '"' in text or "\n" in text or "\r" in text:
        return '"' + text.replace('"', '""') + '"'
    return text


def make_cells(event: Event, session: Session) -> dict[str, str]:
    """The cells of an event in the usual form, the payload left out."""
    return {
        "id": str(event.event_id),
        "type": "click" if event.is_click else "view",
        "created_at": format_time(event.created_ms),
        "session_id": session.session_id,
        "ip": session.ip,
        "user_id": str(session.person.user_id),
        "url": event.url,
        "referrer": event.referrer,
        "device_type": session.device.device_type,
        "user_agent": session.device.user_agent,
    }


def format_time(moment_ms: int) -> str:
    """Milliseconds since 1970 as RFC 3339."""
    minute = moment_ms - moment_ms % _MINUTE_MS
    rest = moment_ms - minute
    return f"{_format_minute(minute)}{rest // 1_000:02d}.{rest % 1_000:03d}Z"


def _format_minute(minute_ms: int) -> str:
    return datetime.fromtimestamp(minute_ms // 1_000, tz=UTC).strftime("%Y-%m-%dT%H:%M:")


class SessionLines:
    """Lines of events in the usual form, fast: what events have in common is formatted once.

    A test holds it equal to `format_line`.
    """

    def __init__(self) -> None:
        # By identity: the elements of PAGES live as long as the program.
        self._payloads = {
            id(element): _cut_payload(element)
            for page in PAGES.values()
            for element in (page.itself, *page.elements)
        }
        self._minutes: dict[int, str] = {}

    def format_events(self, session: Session) -> list[str]:
        """The line of each event of a session; those with unusual cells as these say."""
        head = f",{session.session_id},{session.ip},{session.person.user_id},"
        tail = f",{session.device.device_type},{quote_cell(session.device.user_agent)},"
        lines = []
        for event in session.events:
            if event.cells is not None:
                lines.append(_format_unusual(event, session))
                continue
            minute, rest = divmod(event.created_ms, _MINUTE_MS)
            time = f"{self._find_minute(minute)}{rest // 1_000:02d}.{rest % 1_000:03d}Z"
            start, end = self._payloads[id(event.element)]
            if event.is_click:
                lines.append(
                    f"{event.event_id},click,{time}{head}{event.url},{event.referrer}{tail}"
                    f'{start},""x"":{event.x},""y"":{event.y}{end}\n'
                )
            else:
                lines.append(
                    f"{event.event_id},view,{time}{head}{event.url},{event.referrer}{tail}{start}{end}\n"
                )
        return lines

    def _find_minute(self, minute: int) -> str:
        text = self._minutes.get(minute)
        if text is None:
            if len(self._minutes) > 10_000:
                self._minutes.clear()
            text = self._minutes[minute] = _format_minute(minute * _MINUTE_MS)
        return text


def _format_unusual(event: Event, session: Session) -> str:
    payload = json.dumps(write_payload(event), ensure_ascii=False, separators=(",", ":"))
    return format_line({**make_cells(event, session), "payload": payload, **(event.cells or {})})


def _cut_payload(element: Element) -> tuple[str, str]:
    """The quoted payload of an element, cut in two where the position of a click belongs."""
    names: dict[str, str] = {"event_title": element.event_title, "element_id": element.element_id}
    start = _to_quoted(names).removesuffix("}")
    if not element.custom:
        return f'"{start}', '}"'
    return f'"{start}', f',{_to_quoted(element.custom).removeprefix("{")}"'


def _to_quoted(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace('"', '""')
