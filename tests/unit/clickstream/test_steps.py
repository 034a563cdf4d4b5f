"""What is derived from a valid event."""

from types import SimpleNamespace
from typing import Any

import pytest

from clickstream.decode import SentEvent, read_record, read_values
from clickstream.etl.parsing import make_columns
from clickstream.event.urls import split_url
from clickstream.steps import derive_device_type
from tests.unit.clickstream.judges import broken


def event(**changes: Any) -> Any:
    sent = read_record(broken(**changes))
    assert isinstance(sent, SentEvent)
    columns = make_columns([read_values(sent)])
    return SimpleNamespace(**{name: column[0] for name, column in columns.items()})


@pytest.mark.parametrize(
    ("url", "host", "path"),
    [
        ("/catalog?foo=bar", "", "/catalog"),
        ("/a/b#part", "", "/a/b"),
        ("https://Shop.Example/a?b#c", "shop.example", "/a"),
        ("https://shop.example", "shop.example", "/"),
        ("https://me:secret@shop.example:8080/a", "shop.example", "/a"),
        ("//cdn.example/x", "cdn.example", "/x"),
        ("?only=query", "", "/"),
        ("/with space\tand tab", "", "/with space\tand tab"),
        ("http://[::1]:80/x", "[::1]", "/x"),
        ("catalog", "", "catalog"),
    ],
)
def test_the_path_is_as_sent_without_query_and_fragment(url: str, host: str, path: str) -> None:
    assert split_url(url) == (host, path)


@pytest.mark.parametrize(
    ("user_agent", "device_type"),
    [
        ("", "desktop"),
        ("Mozilla/5.0 (X11; Linux x86_64) Firefox/128.0", "desktop"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) Mobile/15E148", "mobile"),
        ("Mozilla/5.0 (Linux; Android 14; Pixel 8) Chrome/126.0 Mobile Safari/537.36", "mobile"),
        ("Mozilla/5.0 (Linux; Android 14; SM-X910) Chrome/126.0 Safari/537.36", "tablet"),
        ("Mozilla/5.0 (iPad; CPU OS 17_5 like Mac OS X) Mobile/15E148", "tablet"),
    ],
)
def test_the_device_is_told_by_the_user_agent(user_agent: str, device_type: str) -> None:
    assert derive_device_type(user_agent) == device_type


def test_a_sent_device_type_wins_over_the_user_agent() -> None:
    assert event(device_type="tablet", user_agent="iPhone Mobile").device_type == "tablet"


@pytest.mark.parametrize(
    ("created_at", "milliseconds"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2025-01-01T10:00:00", 1_735_725_600_000),
        ("2025-01-01 13:00:00.1239+03:00", 1_735_725_600_123),
        ("2025-01-01t10:00:00.5z", 1_735_725_600_500),
    ],
)
def test_times_are_utc_and_cut_to_milliseconds(created_at: str, milliseconds: int) -> None:
    assert event(created_at=created_at).created_at == milliseconds


def test_an_event_without_id_gets_the_same_one_however_it_is_written() -> None:
    first = event(id=..., user_id="42", created_at="2025-01-01T10:00:00Z")
    again = event(id=..., user_id=42, created_at="2025-01-01 12:00:00+02:00")

    assert first.id == again.id
    assert 0 <= first.id < 2**64


@pytest.mark.parametrize(
    "change", [{"session_id": "s-2"}, {"type": "view"}, {"payload__note": 1}, {"ip": ...}, {"url": "/"}]
)
def test_another_content_is_another_id(change: dict[str, Any]) -> None:
    assert event(id=..., **change).id != event(id=...).id


def test_custom_fields_of_the_payload_are_kept() -> None:
    assert b'"note":{"a":[1,null]}' in event(payload__note={"a": [1, None]}).payload


def test_ids_reach_to_the_end_of_64_bits() -> None:
    assert event(id=str(2**64 - 1), user_id=2**64 - 1).user_id == 2**64 - 1
