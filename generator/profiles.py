"""The people: their names and countries, habits and devices."""

from array import array
from collections.abc import Iterator
from random import Random
from typing import Final, TypeVar

import msgspec
from faker import Faker

from generator.devices import DEVICES, Device
from generator.randomness import make_random

T = TypeVar("T")


class Persona(msgspec.Struct, frozen=True):
    """A habit of visiting.

    Attributes:
        weight: How common it is.
        visits: How often such a person comes, against the rarest.
        appetite: Factor on every chance to click.
        haste: Factor on every chance to leave.
        device_weights: Weights of desktop, mobile and tablet.
    """

    name: str
    weight: int
    visits: int
    appetite: float
    haste: float
    device_weights: tuple[int, int, int]


PERSONAS: Final = (
    Persona("regular buyer", 14, 12, 1.2, 0.85, (40, 52, 8)),
    Persona("window shopper", 42, 3, 0.9, 1.1, (28, 62, 10)),
    Persona("bargain hunter", 22, 5, 1.05, 1.0, (45, 50, 5)),
    Persona("passer-by", 22, 1, 0.7, 1.5, (22, 72, 6)),
)

_COUNTRIES: Final = (
    ("RU", "ru_RU", 22),
    ("US", "en_US", 17),
    ("DE", "de_DE", 14),
    ("GB", "en_GB", 9),
    ("FR", "fr_FR", 9),
    ("BR", "pt_BR", 7),
    ("IN", "en_IN", 7),
    ("PL", "pl_PL", 5),
    ("KZ", "ru_RU", 4),
    ("JP", "ja_JP", 3),
    ("TR", "tr_TR", 3),
)
"""ISO code, the locale that names come from, weight."""

_FAMILY_NAME_FIRST: Final = frozenset({"ru_RU", "ja_JP"})

_UNUSUAL_IDS: Final = {3: 2**64 - 1, 8: 2**53 + 1, 13: 0}
"""Ids that a careless program loses: the largest, one past what a double holds, and zero. By index."""

MIN_PEOPLE: Final = 20
"""So that the people with unusual ids always exist."""

_NAMES_PER_LOCALE: Final = 300
_WITH_SECOND_DEVICE: Final = 0.35
_WITH_IPV6: Final = 0.08


class Person(msgspec.Struct, frozen=True, gc=False):
    """A user of the shop.

    Attributes:
        user_id: Unique id.
        country: ISO code.
        persona: How this person visits.
        devices: The devices; the first is the usual one.
        ip: The address at home.
    """

    user_id: int
    fio: str
    country: str
    persona: Persona
    devices: tuple[Device, ...]
    ip: str


class NamePool:
    """Full names of one locale, put together from Faker's parts (a full draw for each person is slow)."""

    def __init__(self, locale: str, seed: int) -> None:
        fake = Faker(locale)
        fake.seed_instance(f"names {locale} {seed}")
        times = range(_NAMES_PER_LOCALE)
        self._family_name_first = locale in _FAMILY_NAME_FIRST
        self._given = (
            [fake.first_name_female() for _ in times],
            [fake.first_name_male() for _ in times],
        )
        self._family = (
            [fake.last_name_female() for _ in times],
            [fake.last_name_male() for _ in times],
        )
        self._middle: tuple[list[str], list[str]] | None = None
        if locale == "ru_RU":
            self._middle = (
                [fake.middle_name_female() for _ in times],
                [fake.middle_name_male() for _ in times],
            )

    def draw_name(self, rng: Random) -> str:
        """One full name, in the order customary in the locale."""
        gender = int(rng.random() * 2)
        given = _draw(self._given[gender], rng)
        family = _draw(self._family[gender], rng)
        parts = [family, given] if self._family_name_first else [given, family]
        if self._middle:
            parts.append(_draw(self._middle[gender], rng))
        return " ".join(parts)


class Population:
    """The people who visit the shop.

    Person number i is the same in any population of a seed, whatever its size.
    """

    def __init__(self, seed: int, size: int) -> None:
        rng = make_random("people", seed)
        self.people: list[Person] = list(_make_people(seed, max(size, MIN_PEOPLE), rng))
        # A person stands in the urn once for each visit to be expected; the order decides who knows the
        # shop first.
        self._urn = array(
            "L", (i for i, person in enumerate(self.people) for _ in range(person.persona.visits))
        )
        rng.shuffle(self._urn)

    def draw_person(self, rng: Random, known: float = 1.0) -> Person:
        """Who visits next, among the share of the urn that knows the shop already."""
        return self.people[self._urn[int(rng.random() * known * len(self._urn))]]


def _make_people(seed: int, size: int, rng: Random) -> Iterator[Person]:
    pools = {locale: NamePool(locale, seed) for _, locale, _ in _COUNTRIES}
    countries = [(country, pools[locale]) for country, locale, weight in _COUNTRIES for _ in range(weight)]
    personas = [persona for persona in PERSONAS for _ in range(persona.weight)]
    devices = [[d for d in DEVICES if d.layout == layout for _ in range(d.weight)] for layout in range(3)]
    for index in range(size):
        country, pool = _draw(countries, rng)
        persona = _draw(personas, rng)
        layouts = [layout for layout, weight in enumerate(persona.device_weights) for _ in range(weight)]
        count = 2 if rng.random() < _WITH_SECOND_DEVICE else 1
        yield Person(
            user_id=_UNUSUAL_IDS.get(index, 10_001 + index),
            fio=pool.draw_name(rng),
            country=country,
            persona=persona,
            devices=tuple(_draw(devices[_draw(layouts, rng)], rng) for _ in range(count)),
            ip=draw_ip(rng),
        )


def draw_ip(rng: Random) -> str:
    """An address as access networks give it out: mostly IPv4."""
    if rng.random() < _WITH_IPV6:
        return f"2001:db8:{rng.getrandbits(16):x}:{rng.getrandbits(16):x}::{rng.getrandbits(15) + 1:x}"
    bits = rng.getrandbits(24)
    first = 11 + int(rng.random() * 80)
    return f"{first}.{bits >> 16}.{bits >> 8 & 255}.{bits & 255}"


def _draw(items: list[T], rng: Random) -> T:
    return items[int(rng.random() * len(items))]
