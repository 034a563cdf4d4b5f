"""Every row of the design's table of bad input, and the limits around it."""

import gzip
import json
import socket
from typing import Any

import pytest
import zstandard

from clickstream.reasons import RECORD_CODES, ErrorCode
from serving.protocol import MAX_HEAD_BYTES
from tests.integration.api.service import ApiStack, event
from tests.unit.clickstream.judges import broken

BROKEN: dict[ErrorCode, tuple[str, str]] = {
    ErrorCode.NOT_AN_OBJECT: ("[1]", ""),
    ErrorCode.INVALID_JSON: ('{"type": 1e999}', ""),
    ErrorCode.MISSING_FIELD: (broken(session_id=...), "session_id"),
    ErrorCode.WRONG_TYPE: (broken(session_id=5), "session_id"),
    ErrorCode.UNKNOWN_EVENT_TYPE: (broken(type="hover"), "type"),
    ErrorCode.INVALID_TIMESTAMP: (broken(created_at="yesterday"), "created_at"),
    ErrorCode.CREATED_AT_IN_FUTURE: (broken(created_at="2999-01-01T00:00:00Z"), "created_at"),
    ErrorCode.INVALID_NUMBER: (broken(user_id=-1), "user_id"),
    ErrorCode.INVALID_PAYLOAD: (broken(payload="text"), "payload"),
    ErrorCode.TOO_LONG: (broken(session_id="s" * 513), "session_id"),
}
# What the API refuses with the whole body, or what only a CSV file can have.
MESSAGE = 'Line 2, column 2: expected a comma after "view", found "user_id".'
ELSEWHERE = {
    ErrorCode.INVALID_ENCODING,
    ErrorCode.TOO_LARGE,
    ErrorCode.MALFORMED_LINE,
    ErrorCode.UNKNOWN_COUNTRY,
}
WARNED: dict[ErrorCode, tuple[str, str]] = {
    ErrorCode.INVALID_IP: (broken(ip="1.2.3"), "ip"),
    ErrorCode.UNKNOWN_DEVICE_TYPE: (broken(device_type="watch"), "device_type"),
    ErrorCode.TOO_LONG: (broken(user_agent="u" * 2049), "user_agent"),
    ErrorCode.WRONG_TYPE: (broken(referrer=5), "referrer"),
}


def test_every_code_has_a_broken_event() -> None:
    assert set(BROKEN) | set(WARNED) | ELSEWHERE == set(ErrorCode)


@pytest.mark.parametrize("code", WARNED)
def test_an_unusable_optional_value_is_told_and_costs_nothing(api: ApiStack, code: ErrorCode) -> None:
    text, field = WARNED[code]
    with api.records() as read:
        answer = api.post(f"[{json.dumps(event())}, {text}]")
        (record,) = read()
    assert answer.status_code == 202
    assert (answer.json()["accepted"], answer.json()["errors"]) == (2, [])
    (warning,) = answer.json()["warnings"]
    assert (warning["index"], warning["code"], warning["field"]) == (1, code, field)
    assert record.events[1] == json.loads(text)


@pytest.mark.parametrize(
    ("item", "code"),
    [
        pytest.param(b'{"session_id": "\\ud83d"}', "invalid_json", id="half a surrogate pair"),
        pytest.param(b'{"price": NaN}', "invalid_json", id="NaN"),
        pytest.param('{"title": "корзина"}'.encode("cp1251"), "invalid_encoding", id="windows-1251"),
    ],
)
def test_an_event_that_cannot_be_read_costs_no_other(api: ApiStack, item: bytes, code: str) -> None:
    good = [event(), event()]
    body = b"[" + json.dumps(good[0]).encode() + b"," + item + b"," + json.dumps(good[1]).encode() + b"]"
    with api.records() as read:
        answer = api.post(body)
        topics = {record.topic for record in read()}
    assert (answer.status_code, answer.json()["accepted"], answer.json()["rejected"]) == (202, 2, 1)
    assert "kept in the quarantine" in answer.json()["advice"]
    assert [(error["index"], error["code"]) for error in answer.json()["errors"]] == [(1, code)]
    assert topics == {api.settings.broker.topic, api.settings.broker.rejected_topic}


@pytest.mark.parametrize("code", BROKEN)
def test_a_bad_event_among_good_ones_comes_back_and_is_kept(api: ApiStack, code: ErrorCode) -> None:
    text, field = BROKEN[code]
    good = event()
    with api.records() as read:
        answer = api.post(f"[{json.dumps(good)}, {text}]")
        records = {record.topic: record for record in read()}
    assert answer.status_code == 202
    assert (answer.json()["accepted"], answer.json()["rejected"]) == (1, 1)
    (error,) = answer.json()["errors"]
    assert (error["index"], error["code"], error["field"]) == (1, code, field)
    assert error["message"]
    assert bool(error["value"]) != (code is ErrorCode.MISSING_FIELD)
    assert code in RECORD_CODES or field
    assert [one["id"] for one in records[api.settings.broker.topic].events] == [good["id"]]
    kept = records[api.settings.broker.rejected_topic]
    assert kept.events == [json.loads(text)]
    assert kept.headers["source"] == b"http"


@pytest.mark.parametrize("body", [broken(type="hover"), f"[{broken(type='hover')}]", "5", "null"])
def test_only_bad_events_are_unprocessable_and_kept(api: ApiStack, body: str) -> None:
    with api.records() as read:
        answer = api.post(body)
        (record,) = read()
    assert answer.status_code == 422
    assert (answer.json()["accepted"], answer.json()["rejected"], len(answer.json()["errors"])) == (0, 1, 1)
    assert record.topic == api.settings.broker.rejected_topic


def test_what_is_not_json_is_told_with_its_place(api: ApiStack) -> None:
    with api.records() as read:
        answer = api.post('[{"type": "view"\n "user_id": 1}]')
        assert read() == []
    assert answer.status_code == 400
    assert answer.json() == {
        "code": "invalid_json",
        "message": f"The body is not valid JSON. {MESSAGE}",
        "line": 2,
        "column": 2,
        "expected": 'a comma after "view"',
        "found": '"user_id"',
        "problems": [
            {
                "line": 2,
                "column": 2,
                "expected": 'a comma after "view"',
                "found": '"user_id"',
                "message": MESSAGE,
            }
        ],
    }


def _gzip(size: int) -> bytes:
    return gzip.compress(b" " * size)


@pytest.mark.parametrize(
    ("body", "headers", "status", "code", "detail"),
    [
        pytest.param(b"", {}, 400, "invalid_json", {"line": 1, "column": 1}, id="nothing"),
        pytest.param(b"\xff", {}, 400, "invalid_encoding", {"line": 1, "column": 1}, id="not UTF-8"),
        pytest.param(b"[" * 999, {}, 400, "too_deep", {"limit": 64}, id="too deep"),
        pytest.param(b" " * 200_001, {}, 413, "body_too_large", {"limit": 200_000}, id="too large"),
        pytest.param(
            _gzip(1_000_001),
            {"Content-Encoding": "gzip"},
            413,
            "body_too_large",
            {"limit": 1_000_000},
            id="too large once decompressed",
        ),
        pytest.param(
            zstandard.ZstdCompressor().compress(b" " * 90_000_000),
            {"Content-Encoding": "zstd"},
            413,
            "body_too_large",
            {"limit": 1_000_000},
            id="a bomb",
        ),
        pytest.param(b"[" + b"1," * 500 + b"1]", {}, 413, "too_many_events", {"limit": 500}, id="too many"),
        pytest.param(
            b"[]",
            {"Content-Type": "application/x-www-form-urlencoded"},
            415,
            "unsupported_content_type",
            {"accepted": ["application/json", "text/plain"]},
            id="another type",
        ),
        pytest.param(
            b"[]",
            {"Content-Encoding": "br"},
            415,
            "unsupported_content_encoding",
            {"accepted": ["identity", "gzip", "zstd"]},
            id="another encoding",
        ),
        pytest.param(
            _gzip(1_000)[:-3], {"Content-Encoding": "gzip"}, 400, "invalid_compression", {}, id="cut off"
        ),
        pytest.param(b"[]", {"Content-Encoding": "zstd"}, 400, "invalid_compression", {}, id="no zstd"),
        pytest.param(b"[]", {"Origin": "https://evil.example"}, 403, "origin_not_allowed", {}, id="site"),
    ],
)
def test_a_body_that_can_not_be_taken_is_refused_whole(
    api: ApiStack, body: bytes, headers: dict[str, str], status: int, code: str, detail: dict[str, Any]
) -> None:
    with api.records() as read:
        answer = api.post(body, headers=headers)
        assert read() == []
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert detail.items() <= answer.json().items()
    assert answer.json()["message"]


def test_an_announced_giant_is_refused_before_it_is_sent(api: ApiStack) -> None:
    with socket.create_connection(("127.0.0.1", api.settings.api.port), 10) as connection:
        connection.sendall(
            b"POST /events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Content-Length: 99999999999\r\nExpect: 100-continue\r\n\r\n"
        )
        assert connection.recv(100).startswith(b"HTTP/1.1 413 ")


def test_a_body_without_a_length_is_bounded(api: ApiStack) -> None:
    def pieces() -> Any:
        for _ in range(100):
            yield b" " * 10_000

    answer = api.client.post("/events", content=pieces(), headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["limit"]) == (413, 200_000)


@pytest.mark.parametrize("filler", [b"x", b"\r\nX-Filler: x"], ids=["one header", "many headers"])
def test_an_endless_head_is_cut_off(api: ApiStack, filler: bytes) -> None:
    head = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nX-Filler: "
    with socket.create_connection(("127.0.0.1", api.settings.api.port), 20) as connection:
        # No byte more than it takes: with unread ones, the answer would be lost to a reset.
        connection.sendall((head + filler * MAX_HEAD_BYTES)[: MAX_HEAD_BYTES + 1])
        assert _read_to_end(connection).startswith(b"HTTP/1.1 431 ")
        with pytest.raises(ConnectionError):
            _send_without_end(connection, filler * 8_192)
    assert api.client.get("/health/live", headers={"X-Filler": "x" * 60_000}).status_code == 200


def _read_to_end(connection: socket.socket) -> bytes:
    answer = b""
    while piece := connection.recv(65_536):
        answer += piece
    return answer


def _send_without_end(connection: socket.socket, piece: bytes) -> None:
    for _ in range(100):
        connection.sendall(piece)


def test_a_wrong_parameter_is_named(api: ApiStack) -> None:
    answer = api.post([], params={"source": "csv"})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_parameter")
    assert answer.json()["accepted"] == ["http", "tracker"]


def test_other_addresses_and_methods_are_refused_in_the_same_form(api: ApiStack) -> None:
    assert api.client.get("/nothing").json()["code"] == "not_found"
    answer = api.client.put("/events")
    assert (answer.status_code, answer.json()["code"], answer.headers["allow"]) == (
        405,
        "method_not_allowed",
        "POST",
    )


@pytest.mark.parametrize(
    "path", ["/", "/docs", "/docs/", "/events", "/events/", "/demo", "/metrics", "/health/live"]
)
@pytest.mark.parametrize(
    "hosts", [("evil.example",), ("localhost.evil.example:80",), ("localhost", "evil.example"), ()]
)
def test_answers_under_no_name_but_its_own(api: ApiStack, path: str, hosts: tuple[str, ...]) -> None:
    lines = [
        f"POST {path} HTTP/1.1",
        *(f"Host: {host}" for host in hosts),
        "Content-Length: 0",
        "Connection: close",
    ]
    with socket.create_connection(("127.0.0.1", api.settings.api.port), 10) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        head, _, body = _read_to_end(connection).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 403 ")
    assert b"location" not in head.lower()
    assert json.loads(body)["code"] == "host_not_allowed"
    assert "CLICKSTREAM_API__ALLOWED_HOSTS" in json.loads(body)["message"] or len(hosts) != 1


@pytest.mark.parametrize("path", ["/", "/docs/", "//evil.example/", "/events/", "/demo/", "/health/live/"])
def test_leads_to_no_other_host(api: ApiStack, path: str) -> None:
    with socket.create_connection(("127.0.0.1", api.settings.api.port), 10) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
        head = _read_to_end(connection).partition(b"\r\n\r\n")[0].decode().lower()
    assert all(line == "location: /docs" for line in head.splitlines() if line.startswith("location"))


def test_a_preflight_of_a_listed_site_is_answered(api: ApiStack) -> None:
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
    allowed = api.client.options("/events", headers={"Origin": "https://shop.example", **asked})
    assert allowed.headers["access-control-allow-origin"] == "https://shop.example"
    refused = api.client.options("/events", headers={"Origin": "https://evil.example", **asked})
    assert "access-control-allow-origin" not in refused.headers
