import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from clickstream.storage.arrow import rebatch


@settings(deadline=None)
@given(sizes=st.lists(st.integers(0, 20), max_size=12), batch_rows=st.integers(1, 15))
def test_rebatching_keeps_every_row_in_order_and_fills_every_batch_but_the_last(
    sizes: list[int], batch_rows: int
) -> None:
    numbers = pa.table({"number": range(sum(sizes))}).combine_chunks().to_batches()
    blocks, start = [], 0
    for size in sizes:
        if numbers:
            blocks.append(numbers[0].slice(start, size))
        start += size

    tables = list(rebatch(blocks, batch_rows))

    assert [number for table in tables for number in table["number"].to_pylist()] == list(range(start))
    assert all(table.num_rows == batch_rows for table in tables[:-1])
    assert all(0 < table.num_rows <= batch_rows for table in tables[-1:])
