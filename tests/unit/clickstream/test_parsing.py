"""Raw rows become rows of the table `events`, column by column."""

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from clickstream.etl.parsing import VALID_SCHEMA, parse_events
from clickstream.event.times import TIMESTAMP_PATTERN
from clickstream.storage.events import EVENTS_SCHEMA
from tests.unit.clickstream.judges import broken, decoder_errors, valid_rows


def test_each_row_keeps_its_own_values_and_coordinates() -> None:
    bodies = [
        broken(id=1, url="https://a.example/x?y", payload__x=0),
        broken(id="2", type="view", payload__x=..., ip=..., user_agent=None, device_type=""),
        broken(id=3, created_at="2025-01-01 10:00:00.25", user_id="007"),
    ]

    events = parse_events(valid_rows(bodies))

    assert events.schema == EVENTS_SCHEMA
    assert events["id"].to_pylist() == [1, 2, 3]
    assert events["offset"].to_pylist() == [10, 11, 12]
    assert events["x"].to_pylist() == [0, None, 445]
    assert events["ip"].to_pylist() == ["203.0.113.7", "", "203.0.113.7"]
    assert events["user_id"].to_pylist() == [42, 42, 7]
    assert events["url_host"].to_pylist() == ["a.example", "", ""]
    assert events["device_type"].to_pylist() == ["mobile", "desktop", "mobile"]
    assert events["created_at"].cast(pa.int64()).to_pylist() == [
        1_735_725_600_000,
        1_735_725_600_000,
        1_735_725_600_250,
    ]


def test_an_event_is_stored_without_what_a_warning_is_about() -> None:
    bodies = [
        broken(id=..., ip="nowhere", device_type="watch", user_agent="Mozilla/5.0 (iPhone) Mobile"),
        broken(id=..., ip="elsewhere", device_type="watch", user_agent="Mozilla/5.0 (iPhone) Mobile"),
        broken(id=..., referrer=5),
    ]

    events = parse_events(valid_rows(bodies))

    assert events["ip"].to_pylist() == ["", "", "203.0.113.7"]
    assert events["device_type"].to_pylist() == ["mobile", "mobile", "mobile"]
    assert events["referrer"].to_pylist() == ["https://example.com/", "https://example.com/", ""]
    assert events["warning_fields"].to_pylist() == [
        ["ip", "device_type"],
        ["ip", "device_type"],
        ["referrer"],
    ]
    assert len(set(events["id"].to_pylist())) == 3, "the id is a hash of what was sent"


@pytest.mark.parametrize(
    "body",
    [
        broken(user_id="x"),
        broken(user_id=-1),
        broken(created_at="now"),
        broken(url=...),
        broken(payload__x=2**32),
    ],
    ids=["no_number", "negative", "no_time", "no_url", "beyond_32_bits"],
)
def test_a_row_that_is_no_event_after_all_is_named(body: str) -> None:
    with pytest.raises(ValueError, match="topic/0:12:3 passed validation"):
        valid_rows([broken(), broken(), body, broken()])


def test_no_rows_are_no_events() -> None:
    assert parse_events(VALID_SCHEMA.empty_table()).equals(EVENTS_SCHEMA.empty_table())


numbers = (
    st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.builds(
        lambda zeros, digits: "0" * zeros + digits,
        st.integers(0, 6_000),
        st.from_regex(r"\A[0-9]{1,22}(?:\.[0-9]{1,45})?\Z"),
    )
)


@settings(deadline=None, max_examples=40)
@example("0" * 5_000, "0" * 5_000, "0" * 600, "0" * 25, "/", "9999-12-31T23:59:59-23:59")
@given(numbers, numbers, numbers, numbers, st.text(min_size=1), st.from_regex(TIMESTAMP_PATTERN))
def test_whatever_the_rules_take_can_be_stored(
    event_id: object, user_id: object, x: object, y: object, url: str, created_at: str
) -> None:
    body = broken(id=event_id, user_id=user_id, payload__x=x, payload__y=y, url=url)
    bodies = [text for text in (body, broken(created_at=created_at)) if not decoder_errors(text)]

    assert parse_events(valid_rows(bodies)).num_rows == len(bodies)
