"""Values as people read them."""

import pytest

from control_panel.units import scale_for, word_for


@pytest.mark.parametrize(
    ("unit", "value", "text"),
    [
        pytest.param("s", 0.0042, "4.20 ms", id="milliseconds"),
        pytest.param("s", 0.0000525, "52.5 µs", id="microseconds"),
        pytest.param("s", 87.3, "87.3 s", id="seconds"),
        pytest.param("s", 300.0, "5 min", id="minutes"),
        pytest.param("s", 0.0, "0 s", id="no time"),
        pytest.param("percentunit", 0.0091, "0.91 %", id="share"),
        pytest.param("bytes", 3 * 2.0**30, "3 GiB", id="gibibytes"),
        pytest.param("Bps", 1536.0, "1.50 KiB/s", id="bytes a second"),
        pytest.param("short", 1412.0, "1,412", id="count"),
        pytest.param("short", 25_500.0, "25.5 k", id="thousands"),
        pytest.param("cps", 19.96, "20.0 /s", id="events a second"),
        pytest.param("short", -3.0, "-3", id="negative"),
    ],
)
def test_a_value_is_shown_in_the_unit_that_fits_it(unit: str, value: float, text: str) -> None:
    assert scale_for(unit, value).text(value) == text


def test_values_of_one_panel_are_shown_on_the_scale_of_the_largest() -> None:
    assert scale_for("bytes", 2.0**30).text(2.0**29) == "0.50 GiB"


def test_a_switch_has_words() -> None:
    assert [word_for("bool_yes_no", value) for value in (0, 1)] == ["no", "yes"]
    assert word_for("short", 1) is None
