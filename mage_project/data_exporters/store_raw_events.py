"""Store the records of the broker in `raw_events`."""

from mage_ai.streaming.sinks.base_python import BasePythonSink

from clickstream.etl import stream
from clickstream.settings import get_settings

if "streaming_sink" not in globals():
    from mage_ai.data_preparation.decorators import streaming_sink


@streaming_sink
class StoreRawEvents(BasePythonSink):
    """One row for each event of each record, once per coordinate.

    What is no JSON, empty or too large becomes a row as well, with its defect;
    `process_events` sends it to the quarantine.
    """

    def init_client(self) -> None:
        """Prepare the writer; it connects when there is something to write."""
        self.writer = stream.RawWriter(get_settings())

    def batch_write(self, messages: list[stream.BrokerRecord]) -> None:
        """Insert the rows that are not stored yet, all of them or none."""
        self.writer.write(messages)

    def destroy(self) -> None:
        """Close the connection."""
        self.writer.close()
