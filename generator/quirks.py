"""Valid, but written in a way that is rarely seen: what a careful reader must still understand.

A quirk changes how an event is written (`Event.cells`), and the event itself where the warehouse must see
something else than before.
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Final
from urllib.parse import quote

from msgspec.structs import replace

from generator.sessions import Event, Session
from generator.shop import SHOP_URL, Json

DEVICE_TYPES: Final = frozenset(("desktop", "mobile", "tablet"))
_WITHOUT_USER_AGENT: Final = "desktop"
_UNICODE_TITLE: Final = "Добавить в корзину 🛒"

Quirk = Callable[[Event, Session], bool]
"""Applies itself to an event of a session if it fits there; returns whether it did."""


def write_payload(event: Event, extra: dict[str, Json] | None = None) -> dict[str, Json]:
    """The payload of an event, with further custom fields if wanted."""
    payload: dict[str, Json] = {
        "event_title": event.element.event_title,
        "element_id": event.element.element_id,
    }
    if event.is_click:
        payload |= {"x": event.x, "y": event.y}
    return payload | event.element.custom | (extra or {})


def _switch_url_form(event: Event, _: Session) -> bool:
    is_full = event.url.startswith(SHOP_URL)
    event.cells = {"url": event.url.removeprefix(SHOP_URL) if is_full else SHOP_URL + event.url}
    return True


def _add_query_and_fragment(event: Event, _: Session) -> bool:
    path = event.element.url_path
    event.cells = {"url": f"{SHOP_URL}{path}?ref=a,b&text=%22hi%22&next=/cart?x=1#top/of?page"}
    return True


def _send_host_alone(event: Event, _: Session) -> bool:
    if event.element.url_path != "/":
        return False
    event.cells = {"url": SHOP_URL}
    return True


def _send_query_alone(event: Event, _: Session) -> bool:
    if event.element.url_path != "/":
        return False
    event.cells = {"url": f"{SHOP_URL}?utm_source=push"}
    return True


def _add_trailing_slash(event: Event, _: Session) -> bool:
    if event.is_click or event.element.url_path != "/catalog":
        return False
    event.element = replace(event.element, url_path="/catalog/")
    event.cells = {"url": f"{SHOP_URL}/catalog/?page=3"}
    return True


def _use_cyrillic_path(event: Event, _: Session) -> bool:
    if event.is_click or event.element.url_path != "/catalog":
        return False
    event.element = replace(event.element, url_path="/каталог/сумки")
    event.cells = {"url": f"{SHOP_URL}/каталог/сумки?цвет=красный"}
    return True


def _leave_optional_cells_empty(event: Event, _: Session) -> bool:
    event.device_type = _WITHOUT_USER_AGENT
    event.cells = {"ip": "", "referrer": "", "device_type": "", "user_agent": ""}
    return True


def _leave_device_type_empty(event: Event, session: Session) -> bool:
    event.device_type = session.device.device_type
    event.cells = {"device_type": ""}
    return True


def _derive_desktop_of_a_tv_stick(event: Event, _: Session) -> bool:
    user_agent = (
        "Mozilla/5.0 (Linux; Android 9; AFTT) AppleWebKit/537.36 (KHTML, like Gecko) Silk/108.2 Safari"
    )
    event.device_type = "desktop"
    event.cells = {"device_type": "", "user_agent": user_agent}
    return True


def _contradict_user_agent(event: Event, session: Session) -> bool:
    declared = "tablet" if session.device.device_type != "tablet" else "desktop"
    event.device_type = declared
    event.cells = {"device_type": declared}
    return True


def _break_line_in_user_agent(event: Event, _: Session) -> bool:
    event.cells = {"user_agent": 'Mozilla/5.0 (Smart "TV";\nversion 2)\r\n\tLivingRoom/1.0, like Gecko'}
    return True


def _send_longest_user_agent(event: Event, _: Session) -> bool:
    event.cells = {"user_agent": "Браузер/1.0 ".ljust(2_048, "я")}
    return True


def _send_ipv6_with_ipv4(event: Event, _: Session) -> bool:
    event.cells = {"ip": "::ffff:192.0.2.128"}
    return True


def _send_cells(**cells: str) -> Quirk:
    """Other spellings of values, or optional ones that can't be used and cost nothing."""

    def apply(event: Event, session: Session) -> bool:
        event.cells = cells
        if "device_type" in cells and cells["device_type"].strip().lower() not in DEVICE_TYPES:
            event.device_type = session.device.device_type
        return True

    return apply


def _crawl(event: Event, session: Session) -> bool:
    # The last of several events: the session is still one of people, and no click loses its view.
    if len(session.events) < 2 or event is not session.events[-1]:
        return False
    event.is_bot = True
    event.cells = {"user_agent": "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)"}
    return True


def _capitalise_type(event: Event, _: Session) -> bool:
    event.cells = {"type": " Click" if event.is_click else "VIEW"}
    return True


def _capitalise_device_type(event: Event, session: Session) -> bool:
    event.cells = {"device_type": session.device.device_type.capitalize()}
    return True


def _escape_cyrillic_path(event: Event, _: Session) -> bool:
    if event.is_click or event.element.url_path != "/catalog":
        return False
    event.element = replace(event.element, url_path="/каталог/%2Fсумки%FF")
    event.cells = {"url": f"{SHOP_URL}{quote('/каталог/')}%2f{quote('сумки').lower()}%ff?%D1%8F"}
    return True


def _send_float_position(event: Event, _: Session) -> bool:
    if not event.is_click:
        return False
    payload = write_payload(event) | {"x": event.x + 0.25, "y": str(event.y)}
    event.cells = {"payload": _to_json(payload)}
    return True


def _round_position_up(event: Event, _: Session) -> bool:
    if not event.is_click:
        return False
    payload = write_payload(event) | {"x": event.x + 0.5, "y": f"{event.y}.75"}
    event.x, event.y = event.x + 1, event.y + 1
    event.cells = {"payload": _to_json(payload)}
    return True


def _click_left_of_the_page(event: Event, _: Session) -> bool:
    if not event.is_click:
        return False
    event.cells = {"payload": _to_json(write_payload(event) | {"x": -3})}
    event.x = 0
    return True


def _indent_payload(event: Event, _: Session) -> bool:
    event.cells = {"payload": json.dumps(write_payload(event), indent=2, ensure_ascii=False)}
    return True


def _indent_payload_with_crlf(event: Event, _: Session) -> bool:
    text = json.dumps(write_payload(event), indent="\t", ensure_ascii=True)
    event.cells = {"payload": text.replace("\n", "\r\n")}
    return True


def _add_custom_fields(event: Event, _: Session) -> bool:
    extra: dict[str, Json] = {
        "experiment": {"name": "new-cart", "variant": "B", "weights": [0.5, 0.5]},
        "tags": ["sale", "лето", "🛒"],
        "coupon": None,
        "is_member": True,
        "note": 'size "M", 5" heel\nsecond line',
    }
    event.extra_fields = extra
    event.cells = {"payload": _to_json(write_payload(event, extra))}
    return True


def _change_custom_type(event: Event, _: Session) -> bool:
    extra: dict[str, Json] = {"price": "19.90 EUR", "product_id": {"sku": "A-7", "lot": 3}}
    event.extra_fields = extra
    event.cells = {"payload": _to_json(write_payload(event, extra))}
    return True


def _use_unicode_title(event: Event, _: Session) -> bool:
    # Clicks alone, so that a title is clicked that was not viewed.
    if not event.is_click or event.element.element_id != "#add-to-cart":
        return False
    event.element = replace(event.element, event_title=_UNICODE_TITLE)
    event.cells = {"payload": _to_json(write_payload(event))}
    return True


def _escape_unicode_title(event: Event, _: Session) -> bool:
    if event.is_click or event.element.element_id != "#add-to-cart":
        return False
    event.element = replace(event.element, event_title=_UNICODE_TITLE)
    event.cells = {"payload": json.dumps(write_payload(event), ensure_ascii=True)}
    return True


def _send_position_of_a_view(event: Event, _: Session) -> bool:
    if event.is_click:
        return False
    event.cells = {"payload": _to_json(write_payload(event, {"x": 12, "y": 34}))}
    return True


def _click_in_the_corner(event: Event, _: Session) -> bool:
    if not event.is_click:
        return False
    event.x = event.y = 0
    event.cells = {}
    return True


def _click_far_away(event: Event, _: Session) -> bool:
    if not event.is_click:
        return False
    event.x = event.y = 2**32 - 1
    event.cells = {}
    return True


def _write_time(offset_minutes: int | None, separator: str, digits: int, zulu: str = "") -> Quirk:
    """A way to write `created_at`; digits past the milliseconds are nines, which nobody may round up."""

    def apply(event: Event, _: Session) -> bool:
        if digits < 3:
            event.created_ms -= event.created_ms % 10 ** (3 - digits)
        zone = timezone(timedelta(minutes=offset_minutes or 0))
        moment = datetime.fromtimestamp(event.created_ms // 1_000, tz=UTC).astimezone(zone)
        text = moment.strftime(f"%Y-%m-%d{separator}%H:%M:%S")
        if digits:
            text += "." + f"{event.created_ms % 1_000:03d}999999"[:digits]
        if offset_minutes is not None:
            text += zulu or moment.isoformat()[-6:]
        event.cells = {"created_at": text}
        return True

    return apply


def _to_json(payload: dict[str, Json]) -> str:
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":"))


QUIRKS: Final[tuple[Quirk, ...]] = (
    _switch_url_form,
    _add_query_and_fragment,
    _send_host_alone,
    _send_query_alone,
    _add_trailing_slash,
    _use_cyrillic_path,
    _leave_optional_cells_empty,
    _leave_device_type_empty,
    _derive_desktop_of_a_tv_stick,
    _contradict_user_agent,
    _break_line_in_user_agent,
    _send_longest_user_agent,
    _send_ipv6_with_ipv4,
    _send_cells(ip="203.0.113.256"),
    _send_cells(ip='=HYPERLINK("https://evil.example";"open")'),
    _send_cells(ip="unknown", device_type="smartwatch"),
    _send_cells(ip="203.0.113.7:51234"),
    _send_cells(ip="[2001:db8::7]:443, 10.0.0.1"),
    _send_cells(ip="fe80::1%eth0"),
    _send_cells(referrer="https://example.com/" + "r" * 8_192),
    _send_cells(user_agent="Mozilla/5.0 " + "u" * 2_048),
    _crawl,
    _capitalise_type,
    _capitalise_device_type,
    _escape_cyrillic_path,
    _send_float_position,
    _round_position_up,
    _click_left_of_the_page,
    _indent_payload,
    _indent_payload_with_crlf,
    _add_custom_fields,
    _change_custom_type,
    _use_unicode_title,
    _escape_unicode_title,
    _send_position_of_a_view,
    _click_in_the_corner,
    _click_far_away,
    _write_time(180, "T", 3),
    _write_time(-330, "T", 0),
    _write_time(0, " ", 6),
    _write_time(0, "t", 9, "z"),
    _write_time(None, "T", 1),
    _write_time(None, " ", 0),
    _write_time(180, "T", 3, "+03"),
    _write_time(180, "T", 0, "+0300"),
    _write_time(0, " ", 3, " UTC"),
    _write_time(0, "T", 3, "GMT"),
)
"""Every quirk; they take turns."""


class QuirkTurns:
    """Gives each quirk its turn, at the first event that it fits."""

    def __init__(self) -> None:
        self._next = 0

    def apply_next(self, event: Event, session: Session) -> bool:
        """Apply the quirk whose turn it is, if it fits the event."""
        if not QUIRKS[self._next](event, session):
            return False
        self._next = (self._next + 1) % len(QUIRKS)
        return True
