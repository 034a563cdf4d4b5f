"""Great Expectations' ids of metrics are remembered, and are the ones that it would work out."""

from typing import Any

import pytest
from great_expectations.core.id_dict import IDDict

from clickstream.metric_ids import remember_metric_ids


class NotPlain:
    """Something of which nobody knows when two are the same."""

    def __init__(self, shown: str) -> None:
        self.shown = shown

    def __str__(self) -> str:
        return self.shown


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"column": "id"},
        {"column": "id", "batch_id": "b"},
        {"batch_id": "b", "column": "id"},
        {"column": "id", "value_set": ["view", "click"]},
        {"column": "id", "value_set": ("view", "click")},
        {"column": "id", "format": IDDict({"result_format": "COMPLETE"})},
    ],
)
def test_a_remembered_id_is_the_one_worked_out(arguments: dict[str, Any]) -> None:
    remember_metric_ids()
    worked_out = IDDict.to_id.__wrapped__(IDDict(arguments))

    assert [IDDict(arguments).to_id() for _ in range(3)] == [worked_out] * 3


def test_arguments_that_equal_each_other_keep_their_own_ids() -> None:
    remember_metric_ids()

    ids = {IDDict({"column": "x", "max_value": value}).to_id() for value in (1, True, 1.0, "1")}

    assert len(ids) == 4


def test_arguments_changed_meanwhile_have_another_id() -> None:
    remember_metric_ids()
    arguments = IDDict({"column": "x", "value_set": ["view"]})
    before = arguments.to_id()

    arguments["value_set"].append("click")

    assert arguments.to_id() == IDDict.to_id.__wrapped__(arguments) != before


def test_what_is_not_plain_is_worked_out_each_time() -> None:
    remember_metric_ids()
    arguments = IDDict({"column": NotPlain("a")})

    first = arguments.to_id()
    arguments["column"].shown = "b"

    assert (first, arguments.to_id()) == ("column=a", "column=b")


def test_a_choice_of_arguments_is_respected() -> None:
    remember_metric_ids()
    arguments = IDDict({"column": "x", "batch_id": "b"})

    assert arguments.to_id(id_keys=["column"]) == "column=x"
    assert arguments.to_id(id_ignore_keys=["column"]) == "batch_id=b"


def test_remembering_twice_changes_nothing() -> None:
    remember_metric_ids()
    before = IDDict.to_id

    remember_metric_ids()

    assert IDDict.to_id is before
