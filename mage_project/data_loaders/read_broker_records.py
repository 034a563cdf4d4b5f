"""Read records from the broker, for as long as the pipeline runs."""

from collections.abc import Callable

from mage_ai.streaming.sources.base_python import BasePythonSource

from clickstream.etl import stream
from clickstream.settings import get_settings

if "streaming_source" not in globals():
    from mage_ai.data_preparation.decorators import streaming_source


@streaming_source
class ReadBrokerRecords(BasePythonSource):
    """The topics of events and of rejected events, read as one consumer group.

    A batch goes to the sink until it is stored; then its offsets are committed.
    A message is a `BrokerRecord`: topic, partition, offset, receipt, source, and
    the value as bytes. Leave them bytes: the sink takes them apart.
    """

    def init_client(self) -> None:
        """Prepare the reader; it connects when it reads, as often as it must."""
        self.reader = stream.BrokerReader(get_settings().broker)

    def batch_read(self, handler: Callable[[list[object]], None]) -> None:
        """Read and hand on until the process is asked to stop."""
        self.reader.run(handler)

    def destroy(self) -> None:
        """Leave the consumer group."""
        self.reader.close()
