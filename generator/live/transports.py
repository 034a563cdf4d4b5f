"""The two ways for a parcel: as a record of the broker, and as a request to the API."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Final, Protocol

import httpx
import msgspec
from kafka import KafkaProducer
from kafka.errors import KafkaError, KafkaTimeoutError

from generator.live.wire import Parcel

logger: Final = logging.getLogger(__name__)

_ASK_AGAIN_SECONDS: Final = 0.5
_METADATA_TIMEOUT_MS: Final = 5_000
_MAX_REQUEST_BYTES: Final = 5_000_000
_FOREVER_MS: Final = 2**31 - 1

_FAILURE_HOLDS_SECONDS: Final = 0.5
"""Who waited while another thread tried in vain need not try for themselves."""

_CONNECT_TIMEOUT_SECONDS: Final = 3.0
_ANSWER_TIMEOUT_SECONDS: Final = 15.0
_KEEP_ALIVE_SECONDS: Final = 2.0
"""Shorter than any server's, so that no request meets a connection that is just being closed."""

_SHOWN_CHARACTERS: Final = 200


class DeliveryError(Exception):
    """An attempt failed; the parcel has to be sent again.

    Attributes:
        is_uncertain: Whether it may have arrived nevertheless.
        retry_after_seconds: How long the other side asks to wait; 0 if it doesn't say.
    """

    def __init__(self, message: str, *, is_uncertain: bool, retry_after_seconds: float = 0.0) -> None:
        super().__init__(message)
        self.is_uncertain = is_uncertain
        self.retry_after_seconds = retry_after_seconds


class GivenUpError(Exception):
    """The process ends before the answer has come."""


Report = Callable[[str], None]
"""Told what an attempt is waiting for."""


class Transport(Protocol):
    """Brings parcels to where they belong; used by several threads at once."""

    def deliver(self, parcel: Parcel, report: Report, ending: threading.Event) -> None:
        """Send a parcel and wait for the acknowledgement.

        Raises:
            DeliveryError: It was not acknowledged.
            GivenUpError: `ending` was set during the wait.
        """

    def close(self) -> None:
        """Let go of all connections."""


class BrokerTransport:
    """Records of a topic, acknowledged by all replicas.

    The producer is idempotent: it repeats a record for as long as it takes, and the broker stores it once,
    also if only the acknowledgement was lost. So no attempt is uncertain while the process lives.
    """

    def __init__(self, bootstrap_servers: str, topic: str) -> None:
        self._servers = bootstrap_servers.split(",")
        self._topic = topic
        self._producer: KafkaProducer | None = None
        self._lock = threading.Lock()
        self._failed_at = -_FAILURE_HOLDS_SECONDS

    def deliver(self, parcel: Parcel, report: Report, ending: threading.Event) -> None:
        """As `Transport.deliver`."""
        producer = self._connect()
        try:
            future = producer.send(self._topic, value=parcel.body)
        except (KafkaError, AssertionError) as error:
            # An assertion tells that another thread has just closed the producer.
            raise DeliveryError(
                f"The broker doesn't take records of {self._topic}: {error!r}", is_uncertain=False
            ) from error
        while True:
            try:
                future.get(timeout=_ASK_AGAIN_SECONDS)
            except KafkaTimeoutError as error:
                if future.is_done:
                    raise self._fail(producer, error) from error
                if ending.is_set():
                    raise GivenUpError from None
                report("The broker does not acknowledge; the record is being repeated.")
            except KafkaError as error:
                raise self._fail(producer, error) from error
            else:
                return

    def close(self) -> None:
        """As `Transport.close`."""
        with self._lock:
            if self._producer is not None:
                self._producer.close(timeout=0)
                self._producer = None

    def _connect(self) -> KafkaProducer:
        with self._lock:
            if self._producer is None:
                away = f"The broker at {', '.join(self._servers)} does not answer."
                if time.monotonic() - self._failed_at < _FAILURE_HOLDS_SECONDS:
                    raise DeliveryError(away, is_uncertain=False)
                try:
                    self._producer = KafkaProducer(
                        bootstrap_servers=self._servers,
                        client_id="clickstream-generator",
                        acks="all",
                        enable_idempotence=True,
                        allow_auto_create_topics=False,
                        delivery_timeout_ms=_FOREVER_MS,
                        max_block_ms=_METADATA_TIMEOUT_MS,
                        max_request_size=_MAX_REQUEST_BYTES,
                        reconnect_backoff_max_ms=1_000,
                        metrics_enabled=False,
                    )
                except (KafkaError, OSError) as error:
                    self._failed_at = time.monotonic()
                    raise DeliveryError(away, is_uncertain=False) from error
            return self._producer

    def _fail(self, producer: KafkaProducer, error: KafkaError) -> DeliveryError:
        """What the producer could not repeat; the next attempt gets a new producer."""
        with self._lock:
            if self._producer is producer:
                self._producer = None
        producer.close(timeout=0)
        return DeliveryError(f"The broker refused: {error!r}", is_uncertain=True)


class _Verdict(msgspec.Struct):
    """The part of the API's answer that counts."""

    accepted: int
    rejected: int


class HttpTransport:
    """Requests to `POST /events`."""

    def __init__(self, url: str, headers: dict[str, str], connections: int) -> None:
        self._url = url
        self._client = httpx.Client(
            headers={"content-type": "application/json", "user-agent": "clickstream-generator", **headers},
            timeout=httpx.Timeout(_ANSWER_TIMEOUT_SECONDS, connect=_CONNECT_TIMEOUT_SECONDS),
            limits=httpx.Limits(max_connections=connections, keepalive_expiry=_KEEP_ALIVE_SECONDS),
            trust_env=False,
        )

    def deliver(self, parcel: Parcel, report: Report, ending: threading.Event) -> None:  # noqa: ARG002
        """As `Transport.deliver`; waits for an answer no longer than its time limit."""
        try:
            answer = self._client.post(self._url, content=parcel.body)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise DeliveryError(
                f"The API at {self._url} does not answer: {error}", is_uncertain=False
            ) from error
        except httpx.HTTPError as error:
            raise DeliveryError(f"The API did not finish its answer: {error!r}", is_uncertain=True) from error
        if answer.status_code in (httpx.codes.ACCEPTED, httpx.codes.UNPROCESSABLE_ENTITY):
            _check_verdict(parcel, answer)
            return
        text = answer.text[:_SHOWN_CHARACTERS]
        raise DeliveryError(
            f"The API answers {answer.status_code}: {text}",
            # 503 too: what the broker did not acknowledge in time may be stored a moment later.
            is_uncertain=answer.is_server_error,
            retry_after_seconds=_seconds(answer.headers.get("retry-after", "")),
        )

    def close(self) -> None:
        """As `Transport.close`."""
        self._client.close()


def _check_verdict(parcel: Parcel, answer: httpx.Response) -> None:
    """Warn where the API judges a parcel otherwise than it must; it has arrived all the same.

    Raises:
        DeliveryError: The response does not come from the API.
    """
    try:
        verdict = msgspec.json.decode(answer.content, type=_Verdict)
    except msgspec.DecodeError as error:
        text = answer.text[:_SHOWN_CHARACTERS]
        raise DeliveryError(
            f"The API answers {answer.status_code}, but not as it should: {text}", is_uncertain=True
        ) from error
    expected = (parcel.tally.events - parcel.tally.faulty, parcel.tally.faulty)
    if (verdict.accepted, verdict.rejected) != expected:
        logger.warning(
            "The API accepted %d and rejected %d events of a batch with %d good and %d bad ones.",
            verdict.accepted,
            verdict.rejected,
            *expected,
        )


def _seconds(text: str) -> float:
    return float(text) if text.isascii() and text.isdigit() else 0.0
