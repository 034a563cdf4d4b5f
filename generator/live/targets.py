"""The senders of one process, made as they are needed."""

import threading
from typing import Final

from clickstream.settings import Settings
from generator.live.account import Account
from generator.live.options import Source
from generator.live.sender import OnAcknowledged, Sender
from generator.live.transports import BrokerTransport, HttpTransport, Transport

EVENTS_PATH: Final = "/events"


class Targets:
    """Gives the sender of each source; what an earlier process left unacknowledged is sent at once."""

    def __init__(self, settings: Settings, account: Account, on_acknowledged: OnAcknowledged) -> None:
        self._settings = settings
        self._account = account
        self._on_acknowledged = on_acknowledged
        self._lock = threading.Lock()
        self._senders: dict[Source, Sender] = {}
        for source in Source:
            left = account.unacknowledged(source)
            if left:
                self.sender(source).resume(left)

    def sender(self, source: Source) -> Sender:
        """The sender of a source."""
        with self._lock:
            if source not in self._senders:
                transport = make_transport(source, self._settings)
                connections = self._settings.generator.connections
                sender = Sender(source, transport, self._account, self._on_acknowledged, connections)
                self._senders[source] = sender
            return self._senders[source]

    @property
    def known(self) -> dict[Source, Sender]:
        """The senders that there are."""
        with self._lock:
            return dict(self._senders)

    def close(self) -> None:
        """End all of them."""
        for sender in self.known.values():
            sender.close()


def make_transport(source: Source, settings: Settings) -> Transport:
    """The way to the API or to the broker that the settings name."""
    if source is Source.BROKER:
        return BrokerTransport(settings.broker.bootstrap_servers, settings.broker.topic)
    key = settings.generator.write_key
    headers = {"authorization": f"Bearer {key.get_secret_value()}"} if key else {}
    url = f"http://{settings.api.host}:{settings.api.port}{EVENTS_PATH}"
    return HttpTransport(url, headers, settings.generator.connections)
