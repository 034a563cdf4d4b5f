"""When a duplicate is the same event, and when it is another one."""

import json
from typing import Any

import pytest

from clickstream.decode import SentEvent, Values, read_record, read_values
from clickstream.loads.duplicates import differing_fields

EVENT: dict[str, Any] = {
    "id": 7,
    "type": "click",
    "created_at": "2025-01-01T10:00:00.000Z",
    "session_id": "s-1",
    "user_id": 42,
    "url": "/cart",
    "device_type": "mobile",
    "payload": {"event_title": "buy", "element_id": "#buy", "x": 10, "y": 20, "variant": "b"},
}


def values(**changes: Any) -> Values:
    record = read_record(json.dumps({**EVENT, **changes}))
    assert isinstance(record, SentEvent)
    return read_values(record)


@pytest.mark.parametrize(
    ("changes", "differing"),
    [
        pytest.param({}, (), id="nothing"),
        pytest.param({"user_id": "42", "type": " CLICK "}, (), id="another-spelling"),
        pytest.param({"created_at": "2025-01-01 13:00:00+03"}, (), id="the-same-moment-in-another-zone"),
        pytest.param({"payload": json.dumps(EVENT["payload"])}, (), id="the-payload-as-text"),
        pytest.param({"payload": {**EVENT["payload"], "x": "10.0"}}, (), id="a-position-as-text"),
        pytest.param({"ip": "10.0.0.1", "user_agent": "curl"}, (), id="what-the-api-adds"),
        pytest.param({"device_type": None}, (), id="an-optional-field-left-out"),
        pytest.param({"device_type": "tablet"}, ("device_type",), id="another-optional-value"),
        pytest.param({"url": "/basket"}, ("url",), id="another-page"),
        pytest.param({"created_at": "2025-01-01T10:00:00.001Z"}, ("created_at",), id="a-millisecond-later"),
        pytest.param({"payload": {**EVENT["payload"], "x": 11}}, ("x",), id="another-position"),
        pytest.param({"payload": {**EVENT["payload"], "variant": "a"}}, ("payload",), id="a-custom-field"),
    ],
)
def test_a_duplicate_differs_only_where_it_says_something_else(
    changes: dict[str, Any], differing: tuple[str, ...]
) -> None:
    assert differing_fields(values(**changes), values()) == differing
    assert differing_fields(values(), values(**changes)) == differing
