"""Sessions as an answer key records them, so that keys can be put together exactly."""

from functools import lru_cache
from typing import Any, Final

from generator.devices import Device
from generator.profiles import PERSONAS, Person
from generator.sessions import Event, Session
from generator.shop import Box, Element

SESSIONS: Final = "sessions"
"""Name of the list of sessions in a key: what the views were counted from."""

_NOWHERE: Final = Box(0, 0, 0, 0)


def record_session(source: str, session: Session) -> list[Any]:
    """A session as JSON: what any view shows of it, and nothing else."""
    return [
        source,
        session.session_id,
        session.person.user_id,
        session.device.device_type,
        [
            [
                event.created_ms,
                int(event.is_click),
                event.element.url_path,
                event.element.element_id,
                event.element.event_title,
                event.x,
                event.y,
                event.own_fields,
            ]
            for event in session.events
        ],
    ]


def read_session(recorded: list[Any]) -> tuple[str, Session]:
    """Source and session of what `record_session` gave.

    Raises:
        ValueError: It is something else.
    """
    source, session_id, user_id, device_type, events = recorded
    person = Person(user_id, "", "", PERSONAS[0], (), "")
    device = Device(device_type, 0, "", 1)
    return source, Session(session_id, person, device, "", [_read_event(event) for event in events])


def _read_event(recorded: list[Any]) -> Event:
    created_ms, is_click, url_path, element_id, event_title, x, y, own_fields = recorded
    element = _element(url_path, element_id, event_title, tuple(map(tuple, own_fields)))
    return Event(0, created_ms, bool(is_click), element, "", "", x, y)


@lru_cache(maxsize=10_000)
def _element(
    url_path: str, element_id: str, event_title: str, own_fields: tuple[tuple[str, str], ...]
) -> Element:
    boxes = (_NOWHERE, _NOWHERE, _NOWHERE)
    return Element(url_path, element_id, event_title, 0, 0, "", boxes, {}, own_fields)
