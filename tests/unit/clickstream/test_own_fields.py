"""Which fields of a payload events can be grouped by, and as which text."""

from typing import Any

import pytest

from clickstream.event.payloads import MAX_FIELDS, MAX_NAME_LENGTH, MAX_VALUE_LENGTH, own_fields


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("b", "b"),
        (True, "true"),
        (False, "false"),
        (0, "0"),
        (42.0, "42"),
        (19.9, "19.9"),
        (2**70, str(2**70)),
    ],
    ids=["text", "true", "false", "zero", "whole float", "fraction", "large number"],
)
def test_a_scalar_becomes_a_text(value: Any, text: str) -> None:
    assert own_fields({"variant": value}) == [("variant", text)]


@pytest.mark.parametrize(
    "payload",
    [
        {"event_title": "hero", "element_id": "#hero", "x": 1, "y": 2, "element_x": 3, "element_y": 4},
        {"variant": None},
        {"variant": ""},
        {"variant": ["a"]},
        {"variant": {"name": "a"}},
        {"variant": "v" * (MAX_VALUE_LENGTH + 1)},
        {"v" * (MAX_NAME_LENGTH + 1): "a"},
        {"": "a"},
    ],
    ids=["contract", "null", "empty", "list", "object", "long value", "long name", "no name"],
)
def test_what_cannot_be_grouped_by_is_left_out(payload: dict[str, Any]) -> None:
    assert own_fields(payload) == []


def test_an_event_has_at_most_so_many() -> None:
    assert len(own_fields({f"field_{number}": "a" for number in range(100)})) == MAX_FIELDS
