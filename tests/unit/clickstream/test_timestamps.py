"""Many times at once are read as one by one."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clickstream.event.times import TIMESTAMP_PATTERN, parse_timestamp
from clickstream.timestamps import parse_timestamps

whole = st.datetimes().map(lambda moment: moment.replace(microsecond=0).isoformat())
texts = st.from_regex(TIMESTAMP_PATTERN)
columns = st.lists(texts, max_size=5) | st.tuples(
    st.lists(whole, min_size=1, max_size=5),
    st.sampled_from(["", "Z", ".5Z", ".123", "+03:00", "-23:59", "z"]),
).map(lambda column: [text + column[1] for text in column[0]])


@settings(deadline=None)
@given(columns)
def test_a_column_of_times_is_read_as_each_of_them(column: list[str]) -> None:
    possible = [text for text in column if _is_possible(text)]

    assert parse_timestamps(possible).tolist() == [parse_timestamp(text) for text in possible]


def _is_possible(text: str) -> bool:
    try:
        parse_timestamp(text)
    except OverflowError:
        return False
    return True


@pytest.mark.parametrize(
    "column",
    [
        ["2025-01-01T10:00:00Z", "2025-01-01T10:00:00"],
        ["2025-01-01T10:00:00.1234567Z", "2025-01-01 10:00:00+03:00"],
        ["1969-12-31T23:59:59.999Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999Z"],
    ],
    ids=["mixed_offsets", "digits_beyond", "far_away"],
)
def test_odd_columns_are_read_as_each_of_their_times(column: list[str]) -> None:
    assert parse_timestamps(column).tolist() == [parse_timestamp(text) for text in column]
