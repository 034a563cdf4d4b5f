"""Where a pasted text is not JSON, and what was expected there."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clickstream.event.syntax import find_syntax_problems

BRIEF_EXAMPLE = """[
  {
    "type": "click",
    "session_id": "abc-123",
    "user_id": 42,
    "url": "/catalog?foo=bar",
    "created_at": "2025-01-01T10:00:00Z",
    "user_agent": "Mozilla/5.0",
    "payload": {
      "event_title": "checkout",
      "element_id": "#submit-button"
      "x": 445,
      "y": 315,
    }
  }
]"""


def test_both_slips_of_the_briefs_example_are_told_at_once() -> None:
    comma_missing, comma_too_many = find_syntax_problems(BRIEF_EXAMPLE)
    assert (comma_missing.line, comma_missing.column) == (12, 7)
    assert comma_missing.expected == 'a comma after "#submit-button"'
    assert comma_missing.found == '"x"'
    assert (comma_too_many.line, comma_too_many.column) == (13, 15)
    assert comma_too_many.message == (
        "Line 13, column 15: expected no comma before “}”, found a comma after the last value."
    )


WHOLE = "a JSON array of events, or one event as an object"
ESCAPED = "\\n, \\t or \\uXXXX inside of a text"
END = "the end of the body"
LAST = "a comma after the last value"
CLOSED = "a double quote that ends this text"
_inner = st.none() | st.integers() | st.text()


@pytest.mark.parametrize(
    ("text", "place", "expected", "found"),
    [
        pytest.param("", (1, 1), WHOLE, END, id="empty"),
        pytest.param("hello", (1, 1), WHOLE, "“hello”", id="words"),
        pytest.param("{'a': 1}", (1, 2), "a name in double quotes or “}”", "“'”", id="single quotes"),
        pytest.param('{"a" 1}', (1, 6), "a colon after the name", "“1”", id="no colon"),
        pytest.param('{"a":}', (1, 6), "a value", "“}”", id="no value"),
        pytest.param('[{"a": 1}\n {"a": 2}]', (2, 2), "a comma after “}”", "“{”", id="no comma"),
        pytest.param('[{"a": 1},]', (1, 10), "no comma before “]”", LAST, id="trailing"),
        pytest.param('[{"a": 1}', (1, 10), "a closing bracket", END, id="cut off"),
        pytest.param('{"a": 1}\n{"a": 2}', (2, 1), END, "“{”", id="one event a line"),
        pytest.param('{"a": "b', (1, 7), CLOSED, END, id="open text"),
        pytest.param('{"a": "b\nc"}', (1, 9), ESCAPED, "a line break", id="line break"),
        pytest.param("[NaN]", (1, 2), "a number, or null", "“NaN”", id="not a number"),
        pytest.param("[01]", (1, 2), "a number without leading zeros", "“01”", id="leading zero"),
        pytest.param('["ä", tru]', (1, 7), "a value", "“tru”", id="columns count characters"),
    ],
)
def test_tells_place_expected_and_found(text: str, place: tuple[int, int], expected: str, found: str) -> None:
    problem = find_syntax_problems(text)[0]
    assert ((problem.line, problem.column), problem.expected, problem.found) == (place, expected, found)


@given(
    st.recursive(
        st.none() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_finds_nothing_in_json(value: object) -> None:
    assert find_syntax_problems(json.dumps(value)) == ()


@given(st.text(alphabet='{}[],:"\\\n 01aeu.-tNI'))
def test_any_text_is_told_apart_within_bounds(text: str) -> None:
    lines = text.split("\n")
    for problem in find_syntax_problems(text):
        assert 1 <= problem.line <= len(lines)
        assert 1 <= problem.column <= len(lines[problem.line - 1]) + 1


def test_of_a_long_text_only_the_first_problem_is_told() -> None:
    text = "[" + "1,]," * 60_000
    assert len(find_syntax_problems(text)) == 1
