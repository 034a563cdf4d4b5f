"""What is derived from a valid event."""

from types import SimpleNamespace
from typing import Any

import pytest

from clickstream.event.urls import split_url
from tests.unit.clickstream.judges import broken, stored_events


def event(**changes: Any) -> Any:
    [row] = stored_events(broken(**changes))
    return SimpleNamespace(**row)


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
        ("/%D1%82%D0%BE%D0%B2%D0%B0%D1%80%D1%8B", "", "/товары"),
        ("/%d1%82%d0%be%d0%b2%d0%b0%d1%80%d1%8b", "", "/товары"),
        ("/товар%D1%8B", "", "/товары"),
        ("/caf%C3%A9/%F0%9F%9B%92", "", "/café/🛒"),
        ("/a%2fb%20c%3F%25", "", "/a%2Fb%20c%3F%25"),
        ("/%ff%D1%8B%c3", "", "/%FFы%C3"),
        ("/%ED%A0%80%c0%af", "", "/%ED%A0%80%C0%AF"),
        ("/100%/%zz%1", "", "/100%/%zz%1"),
        ("/%25D0%25B0", "", "/%25D0%25B0"),
    ],
)
def test_the_path_is_readable_and_without_query_and_fragment(url: str, host: str, path: str) -> None:
    assert split_url(url) == (host, path)


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
    assert '"note":{"a":[1,null]}' in event(payload__note={"a": [1, None]}).payload


def test_ids_reach_to_the_end_of_64_bits() -> None:
    assert event(id=str(2**64 - 1), user_id=2**64 - 1).user_id == 2**64 - 1
