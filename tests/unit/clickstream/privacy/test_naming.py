import json
import re

import pytest

from clickstream.privacy.naming import pattern_of, people_named_in


@pytest.mark.parametrize(
    ("body", "named"),
    [
        pytest.param('{"user_id": 42}', {42}, id="number"),
        pytest.param('{"user_id": "42"}', {42}, id="text"),
        pytest.param('{"user_id": " 042 "}', {42}, id="zeros and spaces"),
        pytest.param('{"user_id": 42.0}', {42}, id="float"),
        pytest.param('{"user_id": "42.0"}', {42}, id="float as text"),
        pytest.param('{"user_id": "\\u0034\\u0032"}', {42}, id="escaped digits"),
        pytest.param(
            '{"user_id": 42, "payload": {"user_id": 7}}', {42}, id="a readable field is the only one"
        ),
        pytest.param('{"user_id": "user 42"}', {42}, id="number within a text"),
        pytest.param('{"user_id": [42, 43]}', {42, 43}, id="list"),
        pytest.param('{"user_id": {"id": 42}}', {42}, id="object"),
        pytest.param('{"event": {"user_id": 42}}', {42}, id="field one level too deep"),
        pytest.param('{"event": {"userId": "42"}}', {42}, id="field by another name"),
        pytest.param('{"user_id": null, "x": 42}', set(), id="null names nobody"),
        pytest.param('{"x": 42, "session_id": "1234567"}', set(), id="other fields of an object name nobody"),
        pytest.param('{"user_id": 42, "type": "vi', {42}, id="broken off"),
        pytest.param('[{"user_id": 42}]', {42}, id="array"),
        pytest.param('7,view,"s 1",42,/', {7, 42}, id="cells of a line"),
        pytest.param("1;view;'42';/", {1, 42}, id="quoted cell"),
        pytest.param("lost: 12345 at row 42", {12345}, id="long number in a text"),
        pytest.param("", set(), id="nothing"),
        pytest.param('{"user_id": 18446744073709551616}', set(), id="too large for an id"),
        pytest.param('{"user_id": -42}', {42}, id="negative"),
        pytest.param('{"user_id": true}', set(), id="boolean"),
    ],
)
def test_the_people_that_a_text_names(body: str, named: set[int]) -> None:
    assert people_named_in(body) == named


@pytest.mark.parametrize("text", ["42", "042", "x42,", '"42"', "42.0", "[42]"])
def test_the_pattern_of_a_person_finds_them_in_any_text(text: str) -> None:
    assert re.search(pattern_of(42), text)
    assert not re.search(pattern_of(4), text)


def test_deep_nesting_is_no_obstacle() -> None:
    assert people_named_in('{"a": ' + "[" * 5_000 + '"user_id": 42') == {42}
    assert people_named_in(json.dumps({"user_id": 42, "payload": {"a": "[" * 2_000}})) == {42}
