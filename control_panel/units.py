"""Grafana's units for people: the factor and the words that make a value readable."""

from dataclasses import dataclass
from typing import Final

_DECIMAL: Final = ((1e9, "G"), (1e6, "M"), (1e4, "k"))
_BINARY: Final = ((2.0**30, "Gi"), (2.0**20, "Mi"), (2.0**10, "Ki"))
_TIMES: Final = ((86_400.0, "d"), (3_600.0, "h"), (120.0, "min"), (1.0, "s"), (0.001, "ms"), (0.000001, "µs"))
_SECONDS_OF: Final = {"d": 86_400.0, "h": 3_600.0, "min": 60.0, "s": 1.0, "ms": 0.001, "µs": 0.000001}
_RATES: Final = {"reqps": "/s", "cps": "/s", "pps": "packets/s"}


@dataclass(frozen=True, slots=True)
class Scale:
    """How values of a panel are shown.

    Attributes:
        factor: What they are multiplied by.
        suffix: What is said after them.
    """

    factor: float
    suffix: str

    def text(self, value: float) -> str:
        """A value in words."""
        scaled = value * self.factor
        digits = (
            0 if scaled == 0 or abs(scaled) >= 100 or scaled.is_integer() else 1 if abs(scaled) >= 10 else 2
        )
        return f"{scaled:,.{digits}f} {self.suffix}".rstrip()


def scale_for(unit: str, largest: float) -> Scale:
    """The scale on which a value is readable, and those below it comparable.

    Args:
        unit: Grafana's id of the unit.
        largest: The largest value that is shown.
    """
    size = abs(largest)
    if unit == "percentunit":
        return Scale(100, "%")
    if unit in {"bytes", "Bps"}:
        divisor, prefix = next(((limit, sign) for limit, sign in _BINARY if size >= limit), (1.0, ""))
        return Scale(1 / divisor, f"{prefix}B{'/s' if unit == 'Bps' else ''}")
    if unit == "s":
        word = next((word for limit, word in _TIMES if size >= limit), "s")
        return Scale(1 / _SECONDS_OF[word], word)
    divisor, prefix = next(((limit, sign) for limit, sign in _DECIMAL if size >= limit), (1.0, ""))
    divisor = 1e3 if prefix == "k" else divisor
    return Scale(1 / divisor, f"{prefix} {_RATES.get(unit, '')}".strip())


def word_for(unit: str, value: float) -> str | None:
    """The word that a unit has in place of numbers; None if it has none."""
    return ("yes" if value else "no") if unit == "bool_yes_no" else None
