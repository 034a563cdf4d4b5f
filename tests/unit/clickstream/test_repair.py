"""Rules that repair refused events."""

import json
from typing import Any

import pytest

from clickstream.errors import BadInputError
from clickstream.etl.repair import Action, RepairRule, apply_rule, check_rule, problems_of
from clickstream.event.rules import Receipt

RECEIPT = Receipt(1_750_000_000_000, 300_000)
EVENT: dict[str, Any] = {
    "type": "purchase",
    "created_at": "2025-01-01T10:00:00Z",
    "session_id": " s-1 ",
    "user_id": 42,
    "url": "/catalog",
    "payload": {"event_title": "Checkout", "element_id": "#a", "x": 1, "y": 2},
}
AS_IN_CSV = {**EVENT, "payload": json.dumps(EVENT["payload"])}


@pytest.mark.parametrize(
    ("rule", "path", "expected"),
    [
        (RepairRule("type", Action.SET, "click"), ["type"], "click"),
        (RepairRule("session_id", Action.TRIM), ["session_id"], "s-1"),
        (RepairRule("type", Action.UPPER), ["type"], "PURCHASE"),
        (RepairRule("payload.event_title", Action.LOWER), ["payload", "event_title"], "checkout"),
        (RepairRule("type", Action.MAP, mapping={"purchase": "click"}), ["type"], "click"),
        (RepairRule("type", Action.MAP, mapping={"other": "click"}), ["type"], "purchase"),
        (RepairRule("created_at", Action.SHIFT, seconds=-60.5), ["created_at"], "2025-01-01T09:58:59.500Z"),
        (RepairRule("referrer", Action.SET, "/"), ["referrer"], "/"),
        (RepairRule("payload.colour", Action.SET, "red"), ["payload", "colour"], "red"),
        (RepairRule("user_id", Action.TRIM), ["user_id"], 42),
    ],
    ids=lambda value: f"{value.action} {value.field}" if isinstance(value, RepairRule) else None,
)
def test_a_rule_changes_its_field_and_no_other(rule: RepairRule, path: list[str], expected: object) -> None:
    changed = json.loads(apply_rule(rule, json.dumps(EVENT)))

    value = changed
    for name in path:
        value = value[name]
    assert value == expected
    changed_in_csv = json.loads(apply_rule(rule, json.dumps(AS_IN_CSV)))
    assert {**changed_in_csv, "payload": json.loads(changed_in_csv["payload"])} == changed
    untouched = {name: changed[name] for name in EVENT if name != path[0]}
    assert untouched == {name: EVENT[name] for name in EVENT if name != path[0]}


@pytest.mark.parametrize("body", ["", "no json", "[1]", '"text"', '{"payload": 1}', '{"payload": "{"}'])
def test_what_can_not_be_read_stays_as_it_is(body: str) -> None:
    for rule in (RepairRule("payload.x", Action.SET, "1"), RepairRule("type", Action.TRIM)):
        assert apply_rule(rule, body) == body


def test_a_repaired_event_is_judged_by_the_rules_of_all_events() -> None:
    body = json.dumps(EVENT)

    assert [problem.code.value for problem in problems_of(body, RECEIPT)] == ["unknown_event_type"]
    assert problems_of(apply_rule(RepairRule("type", Action.SET, "click"), body), RECEIPT) == []
    assert [problem.code.value for problem in problems_of("no json", RECEIPT)] == ["invalid_json"]


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (RepairRule("colour", Action.TRIM), "no field 'colour'"),
        (RepairRule("payload.", Action.TRIM), "no field 'payload.'"),
        (RepairRule("url", Action.SHIFT, seconds=1), "Only created_at"),
        (RepairRule("created_at", Action.SHIFT), "Only created_at"),
        (RepairRule("type", Action.MAP), "nothing to map"),
    ],
    ids=lambda value: f"{value.action} {value.field}" if isinstance(value, RepairRule) else None,
)
def test_a_rule_that_means_nothing_is_refused(rule: RepairRule, message: str) -> None:
    with pytest.raises(BadInputError, match=message):
        check_rule(rule)
