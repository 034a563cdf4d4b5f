"""The baseline of topic → raw: the same consumer reads the records and drops them, in a process of its own.

Prints records per second, from the first batch to the last.

    python -m benchmarks.topic_alone RECORDS
"""

import contextlib
import sys
import time
from collections.abc import Sequence
from typing import Final

from clickstream.etl.stream import BrokerReader, BrokerRecord, request_stop
from clickstream.settings import get_settings

_GROUP: Final = "benchmark"


def main(records: int) -> None:
    """Reads this many records, beginning after those that it read the last time."""
    settings = get_settings().broker.model_copy(update={"consumer_group": _GROUP})
    batches: list[tuple[float, int]] = []

    def drop(read: Sequence[BrokerRecord]) -> None:
        batches.append((time.perf_counter(), len(read)))
        if sum(count for _, count in batches) >= records:
            request_stop()

    with contextlib.redirect_stdout(sys.stderr):
        BrokerReader(settings).run(drop)
    (first, in_first), (last, _) = batches[0], batches[-1]
    sys.stdout.write(f"{(records - in_first) / (last - first)}\n")


if __name__ == "__main__":
    main(int(sys.argv[1]))
