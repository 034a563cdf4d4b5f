"""How the rows of a run are cut into batches."""

from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clickstream.etl.process import even_batch_rows
from clickstream.settings import EtlSettings


@pytest.mark.parametrize(
    ("rows", "workers", "batch_rows"),
    [
        (1, 2, 1_000),
        (1_000, 2, 1_000),
        (1_001, 2, 501),
        (3_000, 2, 750),
        (3_000, 1, 1_000),
        (3_001, 4, 751),
    ],
)
def test_workers_get_the_same_number_of_even_batches(rows: int, workers: int, batch_rows: int) -> None:
    assert even_batch_rows(rows, EtlSettings(batch_rows=1_000, workers=workers)) == batch_rows


@given(st.integers(1, 10**7), st.integers(1_000, 190_000), st.integers(1, 16))
def test_no_batch_is_larger_than_the_setting(rows: int, most_rows: int, workers: int) -> None:
    batch_rows = even_batch_rows(rows, EtlSettings(batch_rows=most_rows, workers=workers))

    assert 1 <= batch_rows <= most_rows
    assert ceil(rows / batch_rows) <= ceil(rows / most_rows) + workers
