"""What is accepted, and the record that comes of it."""

import gzip
import json
import threading
from typing import Any

import httpx
import pytest
import zstandard
from kafka import KafkaConsumer, TopicPartition

from api.middleware import SECURITY_HEADERS
from clickstream.sources.requests import request_ids
from tests.integration.api.service import ApiStack, event
from tests.unit.clickstream.test_syntax import BRIEF_EXAMPLE

ALL_ACCEPTED = {"accepted": 1, "rejected": 0, "errors": []}


def test_a_batch_becomes_one_record_with_its_source(api: ApiStack) -> None:
    events = [event(), event(ip="192.0.2.9", user_agent="Own/1")]
    with api.records() as read:
        answer = api.post(events, headers={"User-Agent": "Test/1"})
        (record,) = read()
    assert answer.status_code == 202
    assert answer.json() == {"accepted": 2, "rejected": 0, "errors": []}
    assert record.topic == api.settings.broker.topic
    assert record.headers["source"] == b"http"
    assert record.events == [{**events[0], "ip": "127.0.0.1", "user_agent": "Test/1"}, events[1]]


def test_one_event_is_taken_like_an_array_of_one(api: ApiStack) -> None:
    sent = event(ip="192.0.2.9", user_agent="Own/1")
    with api.records() as read:
        assert api.post(sent).json() == ALL_ACCEPTED
        assert [record.events for record in read()] == [[sent]]


def test_a_beacon_is_a_simple_request_of_the_tracker(api: ApiStack) -> None:
    headers = {"Content-Type": "text/plain;charset=UTF-8", "Origin": "https://shop.example"}
    with api.records() as read:
        answer = api.post([event()], headers=headers, params={"source": "tracker"})
        (record,) = read()
    assert answer.json() == ALL_ACCEPTED
    assert answer.headers["access-control-allow-origin"] == "https://shop.example"
    assert record.headers["source"] == b"tracker"


@pytest.mark.parametrize(
    ("encoding", "compress"), [("gzip", gzip.compress), ("zstd", zstandard.ZstdCompressor().compress)]
)
def test_a_compressed_body_is_read_whole(api: ApiStack, encoding: str, compress: Any) -> None:
    events = [event() for _ in range(300)]
    text = json.dumps(events).encode()
    body = compress(text[:5_000]) + compress(text[5_000:])
    with api.records() as read:
        assert api.post(body, headers={"Content-Encoding": encoding}).json()["accepted"] == 300
        (record,) = read()
    assert [one["id"] for one in record.events] == [one["id"] for one in events]


def test_the_briefs_example_is_told_apart_and_accepted_once_it_is_corrected(api: ApiStack) -> None:
    refusal = api.post(BRIEF_EXAMPLE)
    assert refusal.status_code == 400
    assert refusal.json()["code"] == "invalid_json"
    assert (refusal.json()["line"], refusal.json()["column"]) == (12, 7)
    assert refusal.json()["expected"] == 'a comma after "#submit-button"'
    assert [problem["line"] for problem in refusal.json()["problems"]] == [12, 13]
    corrected = BRIEF_EXAMPLE.replace('#submit-button"', '#submit-button",').replace("315,", "315")
    assert api.post(corrected).json() == ALL_ACCEPTED


def test_ids_are_taken_as_numbers_and_as_texts_and_kept_as_sent(api: ApiStack) -> None:
    with api.records() as read:
        answer = api.post([event(id=2**64 - 1), event(id=str(2**53 + 1), user_id=str(2**64 - 1))])
        (record,) = read()
    assert answer.json()["accepted"] == 2
    assert [one["id"] for one in record.events] == [2**64 - 1, str(2**53 + 1)]


def test_a_repeated_event_without_an_id_gets_the_same_one(api: ApiStack) -> None:
    sent = event(id=...)
    senders = ({"User-Agent": "A"}, {"User-Agent": "B", "X-Forwarded-For": "203.0.113.7"})
    with api.records() as read:
        answers = [api.post([sent], headers=headers).json() for headers in senders]
        first, second = (record.events[0] for record in read())
    assert answers == [ALL_ACCEPTED, {**ALL_ACCEPTED, "known": 1}]
    assert first["id"] == second["id"]
    assert {first["ip"], second["ip"]} == {"127.0.0.1", "203.0.113.7"}


def test_equal_batches_at_the_same_time_are_each_answered(api: ApiStack) -> None:
    sent = [event() for _ in range(100)]
    answers: list[int] = []

    def post() -> None:
        with httpx.Client(trust_env=False, timeout=20) as client:
            answers.append(client.post(f"{api.url}/events", json=sent).json()["accepted"])

    threads = [threading.Thread(target=post) for _ in range(2)]
    with api.records() as read:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        records = read()
    assert answers == [100, 100]
    assert [[one["id"] for one in record.events] for record in records] == [[one["id"] for one in sent]] * 2


def test_nothing_is_nothing(api: ApiStack) -> None:
    with api.records() as read:
        answer = api.post([])
        assert (answer.status_code, answer.json()) == (202, {"accepted": 0, "rejected": 0, "errors": []})
        assert read() == []


def test_health_and_metrics_tell_the_state(api: ApiStack) -> None:
    assert api.client.get("/health/live").json() == {"status": "alive"}
    assert api.client.get("/health/ready").json()["dependencies"] == {
        "broker": {"status": "up", "message": ""}
    }
    name = 'clickstream_api_events_accepted_total{source="http"}'
    before = api.metric(name)
    api.post([event(), event(type="hover")])
    assert api.metric(name) == before + 1
    assert api.metric("clickstream_api_broker_up") == 1
    assert api.metric('clickstream_api_event_errors_total{code="unknown_event_type"}') >= 1
    assert api.metric('clickstream_api_requests_total{method="POST",route="/events",status="202"}') > 0


def test_the_log_has_no_events(api: ApiStack) -> None:
    secret = "a-name-that-stands-nowhere-else"
    for body in ([event(session_id=secret)], [event(session_id=secret, type="x")], f'[{{"{secret}": ]'):
        api.post(body, params={"key": secret}, headers={"User-Agent": secret})
    assert secret not in api.log


@pytest.mark.parametrize("path", ["/demo", "/demo/product/3", "/docs", "/tracker.js", "/demo/shop.js"])
def test_pages_are_served_with_security_headers(api: ApiStack, path: str) -> None:
    answer = api.client.get(path)
    assert answer.status_code == 200
    for name, value in SECURITY_HEADERS:
        assert answer.headers[name.decode()] == value.decode()
    again = api.client.get(path, headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("path", ["/docs/swagger-ui-bundle.js", "/docs/swagger-ui.css", "/docs/docs.js"])
def test_the_reference_needs_no_other_site(api: ApiStack, path: str) -> None:
    assert api.client.get(path).status_code == 200
    assert f'"{path}"' in api.client.get("/docs").text


@pytest.mark.parametrize("given", ["checkout-0001", ""], ids=["given", "made"])
def test_a_request_has_one_id_in_its_answer_and_in_its_record(api: ApiStack, given: str) -> None:
    with api.records() as read:
        answer = api.post(event(), headers={"X-Request-Id": given} if given else {})
        (record,) = read()

    request_id = answer.headers["x-request-id"]
    assert request_id == given or (not given and len(request_id) == 16)
    assert record.headers["request_id"] == request_id.encode()


def test_the_request_that_brought_a_record_is_found_by_its_name(api: ApiStack) -> None:
    broker = api.settings.broker
    request_id = api.post(event()).headers["x-request-id"]
    consumer = KafkaConsumer(bootstrap_servers=broker.bootstrap_servers)
    places = [TopicPartition(broker.topic, number) for number in range(broker.partitions)]
    ends = consumer.end_offsets(places)
    consumer.close()
    last = [(f"{place.topic}/{place.partition}", end - 1) for place, end in ends.items() if end]

    found = request_ids(broker, [*last, ("csv/0123", 5), (f"{broker.topic}/0", 10**12)])

    assert request_id in found.values()
    assert set(found) <= set(last)
