"""The visits: from where people enter, what they see, what they click, when they leave."""

import math
from statistics import NormalDist
from typing import Final

import msgspec

from generator.devices import Device
from generator.profiles import Person, Population, draw_ip
from generator.randomness import make_random
from generator.shop import PAGES, PRODUCT_COUNT, SHOP_URL, Element, Json, Page, scalar_fields

MASK_64: Final = 2**64 - 1
_GOLDEN: Final = 0x9E3779B97F4A7C15
"""2^64 divided by the golden ratio, made odd: its multiples run through all 64-bit numbers, well spread
(the step of the Weyl sequence in Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators)."""

EVENTS_PER_SESSION: Final = 13.6
"""As measured; decides how many people a number of events needs."""

_MAX_PAGES: Final = 25
_BOUNCES: Final = 0.10
"""Share of visits that end with the first view of a page."""

_AWAY_FROM_HOME: Final = 0.2
_SECOND_DEVICE: Final = 0.25
_PATH_ONLY: Final = 0.12
"""Share of sessions whose tracker sends `/cart` in place of the full URL."""

_ENTRIES: Final = ("home",) * 45 + ("product",) * 27 + ("catalog",) * 17 + ("promo",) * 8 + ("help",) * 3
_REFERRERS: Final = (
    *("",) * 30,
    *("https://www.google.com/",) * 34,
    *("https://yandex.ru/",) * 12,
    *("https://www.instagram.com/",) * 10,
    *("https://www.bing.com/",) * 5,
    *("https://mail.example.com/newsletter?issue=17",) * 5,
    *("https://blog.example.org/best-bags#comments",) * 4,
)
_ONWARD: Final = ("catalog",) * 5 + ("home",) * 3 + ("product",) * 3 + ("search", "cart")
"""Where those go by menu or address bar who open nothing but stay."""

_STEPS: Final = 512


def _lognormal_ms(median_seconds: float, sigma: float, most_seconds: float) -> tuple[int, ...]:
    """Equally likely durations, so that drawing one costs a look-up."""
    normal = NormalDist(0, sigma)
    quantiles = (normal.inv_cdf((step + 0.5) / _STEPS) for step in range(_STEPS))
    return tuple(round(1_000 * min(median_seconds * math.exp(z), most_seconds)) for z in quantiles)


_LOOK_MS: Final = _lognormal_ms(6.0, 1.15, 420)
"""From one element to the next: a few seconds, sometimes minutes."""
_CLICK_MS: Final = _lognormal_ms(1.6, 0.6, 20)
"""From seeing to clicking."""
_LOAD_MS: Final = _lognormal_ms(0.7, 0.5, 8)
"""From a click to the next page."""

_POPULARITY: Final = tuple(
    number for number in range(1, PRODUCT_COUNT + 1) for _ in range(round(60 / (number + 1) ** 0.8))
)
"""Products by popularity: the n-th is seen about n^-0.8 as often as the first."""


class Event(msgspec.Struct, gc=False):
    """One view or click.

    Attributes:
        event_id: Unique among all events of a seed.
        created_ms: When it happened, in milliseconds since 1970.
        is_click: A click, else a view.
        element: What was seen or clicked; its path is the page's.
        url: As sent: the full URL or the path.
        referrer: As sent.
        x: Cursor from the page's left edge in pixels; clicks only.
        y: Cursor from the page's upper edge in pixels; clicks only.
        device_type: Where it differs from the session's: what the warehouse must take it for.
        cells: Cells of the CSV line that are written in an unusual way; the other attributes say what they
            mean.
        is_bot: Sent by a bot, so that it is stored and no view of behaviour counts it.
        extra_fields: Custom fields that are sent instead of, or besides, those of the element.
    """

    event_id: int
    created_ms: int
    is_click: bool
    element: Element
    url: str
    referrer: str
    x: int = 0
    y: int = 0
    device_type: str | None = None
    cells: dict[str, str] | None = None
    is_bot: bool = False
    extra_fields: dict[str, Json] | None = None

    @property
    def own_fields(self) -> tuple[tuple[str, str], ...]:
        """Custom fields that the warehouse must show by value."""
        if self.extra_fields is None:
            return self.element.own_fields
        return scalar_fields(self.element.custom | self.extra_fields)


class Session(msgspec.Struct):
    """One visit with its events, in the order in which they happened."""

    session_id: str
    person: Person
    device: Device
    ip: str
    events: list[Event]


class SessionMaker:
    """Makes visits, one after the other.

    The seed alone decides who comes and what they do. Ids of events and sessions differ from run to run, so
    that one population may visit again and again.
    """

    def __init__(self, seed: int, population: Population, run: str = "") -> None:
        self._rng = make_random("sessions", seed)
        self._population = population
        start = make_random(f"ids of {run}" if run else "ids", seed)
        self._event_id = start.getrandbits(64)
        self._session_number = start.getrandbits(64)

    def make_session(self, start_ms: int, known: float = 1.0) -> Session:
        """A visit that begins at a moment.

        Args:
            start_ms: Milliseconds since 1970.
            known: Share of the regular visitors who know the shop by then.
        """
        random = self._rng.random
        person = self._population.draw_person(self._rng, known)
        self._session_number = (self._session_number + _GOLDEN) & MASK_64
        session = Session(
            session_id=f"{self._session_number:016x}",
            person=person,
            device=person.devices[-1] if random() < _SECOND_DEVICE else person.devices[0],
            ip=draw_ip(self._rng) if random() < _AWAY_FROM_HOME else person.ip,
            events=[],
        )
        self._walk(session, start_ms)
        return session

    def make_event_id(self) -> int:
        """An id that no other event of the seed has."""
        self._event_id = (self._event_id + _GOLDEN) & MASK_64
        return self._event_id

    def _walk(self, session: Session, now_ms: int) -> None:
        random = self._rng.random
        site = "" if random() < _PATH_ONLY else SHOP_URL
        referrer = _REFERRERS[int(random() * len(_REFERRERS))]
        name = _ENTRIES[int(random() * len(_ENTRIES))]
        haste = session.person.persona.haste
        is_bounce = random() < _BOUNCES * haste
        for _ in range(_MAX_PAGES):
            page = self._find_page(name)
            url = f"{site}{page.url_path}{page.queries[int(random() * len(page.queries))]}"
            now_ms, name = self._visit_page(
                session, page, now_ms, url=url, referrer=referrer, is_bounce=is_bounce
            )
            if not name:
                if is_bounce or random() < page.leaves * haste:
                    return
                name = _ONWARD[int(random() * len(_ONWARD))]
            referrer = url
            now_ms += _LOAD_MS[int(random() * _STEPS)]

    def _find_page(self, name: str) -> Page:
        if name == "product":
            name = f"product {_POPULARITY[int(self._rng.random() * len(_POPULARITY))]}"
        return PAGES[name]

    def _visit_page(
        self, session: Session, page: Page, now_ms: int, *, url: str, referrer: str, is_bounce: bool
    ) -> tuple[int, str]:
        """See a page, then look at it from top to bottom until a click leads away.

        Returns:
            When the visitor is done with it, and the name of the page that was opened, if any.
        """
        random = self._rng.random
        appetite = session.person.persona.appetite
        layout = session.device.layout
        events = session.events
        event_id = (self._event_id + _GOLDEN) & MASK_64
        events.append(Event(event_id, now_ms, False, page.itself, url, referrer))
        opened = ""
        for element in () if is_bounce else page.elements:
            if random() >= element.seen:
                continue
            event_id = (event_id + _GOLDEN) & MASK_64
            now_ms += int(_LOOK_MS[int(random() * _STEPS)] * page.pace)
            events.append(Event(event_id, now_ms, False, element, url, referrer))
            if random() < element.clicked * appetite:
                now_ms += _CLICK_MS[int(random() * _STEPS)]
                box = element.boxes[layout]
                # The mean of two draws: most clicks land around the middle.
                x = box.left + int(box.width * (random() + random()) / 2)
                y = box.top + int(box.height * (random() + random()) / 2)
                event_id = (event_id + _GOLDEN) & MASK_64
                events.append(Event(event_id, now_ms, True, element, url, referrer, x, y))
                if element.leads_to:
                    opened = element.leads_to
                    break
        self._event_id = event_id
        return now_ms, opened
