"""The pipeline `stream_events`: records of the broker → `raw_events`, each once.

The source is a `BrokerReader`, the sink a `RawWriter`. The reader commits an offset only after the writer has
inserted the rows, so a record may be delivered twice; the writer leaves out what is stored already.
"""

from clickstream.etl.stream.health import StreamProblem, stream_problem
from clickstream.etl.stream.lifecycle import request_stop
from clickstream.etl.stream.reader import BrokerReader
from clickstream.etl.stream.writer import RawWriter, TopicMadeAnewError
from clickstream.sources.broker import BrokerRecord

__all__ = [
    "BrokerReader",
    "BrokerRecord",
    "RawWriter",
    "StreamProblem",
    "TopicMadeAnewError",
    "request_stop",
    "stream_problem",
]
