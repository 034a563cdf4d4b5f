import csv
import random
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clickstream.storage.events import insert_events
from clickstream.storage.marts import MARTS, SUMMARIES, days_between, rebuild_days
from clickstream.storage.views import read_view
from tests.integration.warehouse.recount import Event, Rows, recount, utc
from tests.integration.warehouse.rows import after, event_rows

GOLDEN = Path(__file__).parents[2] / "golden"
OF_MARTS = list(recount([]))


def _rows(client: Client, name: str) -> Rows:
    table = read_view(client, name)
    return set(zip(*(column.to_pylist() for column in table.columns), strict=True))


def _shown(client: Client) -> dict[str, Rows]:
    return {name: _rows(client, name) for name in OF_MARTS}


def _days(events: list[Event]) -> list[date]:
    return [event["created_at"].date() for event in events]


def _golden_events() -> list[Event]:
    with (GOLDEN / "events.csv").open(encoding="utf-8", newline="") as file:
        return [
            {
                **row,
                "id": int(row["id"]),
                "user_id": int(row["user_id"]),
                "created_at": utc(row["created_at"]),
                "x": int(row["x"]) if row["x"] else None,
                "y": int(row["y"]) if row["y"] else None,
                "own_fields": [("variant", row["variant"])] if row["variant"] else [],
            }
            for row in csv.DictReader(file)
        ]


def _as_text(value: Any) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return "" if value is None else str(value)


@pytest.mark.parametrize("name", OF_MARTS)
def test_a_view_is_its_golden_file_to_the_last_digit(client: Client, name: str) -> None:
    events = _golden_events()
    insert_events(client, event_rows(events))
    rebuild_days(client, _days(events))
    table = read_view(client, name)
    with (GOLDEN / "expected" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        header, *expected = csv.reader(file)
    assert table.column_names == header
    columns = ([_as_text(value) for value in column.to_pylist()] for column in table.columns)
    assert sorted(map(list, zip(*columns, strict=True))) == sorted(expected)


_MOMENTS = st.sampled_from([0, 1, 2, 6, 7, 8, 29, 30, 31, 90]).flatmap(
    lambda day: st.integers(0, 86_399_999).map(lambda ms: after(days=day, milliseconds=ms))
)
_POSITIONS = st.none() | st.integers(0, 70) | st.just(2**32 - 1)
_EVENTS = st.lists(
    st.fixed_dictionaries(
        {
            "type": st.sampled_from(["view", "click"]),
            "created_at": _MOMENTS,
            "session_id": st.sampled_from(["s1", "s2", "s3", "s4", "s5"]),
            "user_id": st.sampled_from([0, 1, 2, 2**64 - 1]),
            "url_path": st.sampled_from(["/", "/cart"]),
            "device_type": st.sampled_from(["desktop", "mobile"]),
            "event_title": st.sampled_from(["hero", "buy"]),
            "element_id": st.sampled_from(["#a", "#b", "html"]),
            "x": _POSITIONS,
            "y": _POSITIONS,
            "bot_name": st.sampled_from(["", "", "", "BingBot"]),
            "own_fields": st.dictionaries(
                st.sampled_from(["variant", "plan"]), st.sampled_from(["a", "b", "Ж"])
            ).map(lambda fields: list(fields.items())),
        }
    ).map(lambda event: {**event, "is_bot": event["bot_name"] != ""}),
    max_size=30,
)


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=_EVENTS, order=st.randoms(use_true_random=False))
def test_marts_built_in_increments_in_any_order_equal_a_plain_count(
    client: Client, events: list[Event], order: random.Random
) -> None:
    for table in ("events", *MARTS, *SUMMARIES):
        client.command("truncate table {table:Identifier}", parameters={"table": table})
    numbered = [{**event, "id": number} for number, event in enumerate(events)]
    order.shuffle(numbered)

    for part in (numbered[::3], numbered[1::3], numbered[2::3]):
        insert_events(client, event_rows(part))
        days = _days(part)
        order.shuffle(days)
        rebuild_days(client, days)

    assert _shown(client) == recount([event for event in numbered if not event["is_bot"]])
    bots = [event for event in numbered if event["is_bot"]]
    assert _rows(client, "bot_traffic") == {
        (
            day,
            "BingBot",
            sum(event["created_at"].date() == day for event in bots),
            len({event["url_path"] for event in bots if event["created_at"].date() == day}),
        )
        for day in _days(bots)
    }


@pytest.fixture
def events() -> list[Event]:
    """Events on the first, second and fourth day."""
    generator = random.Random(7)
    return [
        {
            "id": number,
            "type": generator.choice(["view", "click"]),
            "created_at": after(
                days=generator.choice([0, 1, 3]), milliseconds=generator.randrange(86_400_000)
            ),
            "session_id": f"s{generator.randrange(20)}",
            "user_id": generator.randrange(9),
            "url_path": generator.choice(["/", "/cart"]),
            "device_type": generator.choice(["desktop", "mobile"]),
            "event_title": "hero",
            "element_id": generator.choice(["#a", "#b", "html"]),
            "x": generator.randrange(100),
            "y": generator.randrange(100),
        }
        for number in range(100)
    ]


def test_building_a_day_twice_changes_nothing(client: Client, events: list[Event]) -> None:
    insert_events(client, event_rows(events))
    assert rebuild_days(client, _days(events)) == 3
    once = _shown(client)
    rebuild_days(client, _days(events))
    assert _shown(client) == once == recount(events)


def test_a_day_whose_events_are_gone_ends_up_empty(client: Client, events: list[Event]) -> None:
    insert_events(client, event_rows(events))
    rebuild_days(client, _days(events))
    gone = after(days=3).date()
    client.command("delete from events where toDate(created_at) = {day:Date}", parameters={"day": gone})
    rebuild_days(client, [gone])
    assert _shown(client) == recount([event for event in events if event["created_at"].date() != gone])


class _Killed(BaseException):
    """Stands for the death of the process before a statement is sent."""


def _kill_before(client: Client, patch: pytest.MonkeyPatch, statement: int) -> None:
    command = client.command
    countdown = iter(range(statement - 1, -1, -1))

    def count_down(*arguments: Any, **options: Any) -> Any:
        if next(countdown) == 0:
            raise _Killed
        return command(*arguments, **options)

    patch.setattr(client, "command", count_down)


_STATEMENTS_A_MART = 4


@pytest.mark.parametrize("statement", [1, 2, 3, 4, 5, _STATEMENTS_A_MART * len(MARTS)])
def test_killed_before_any_statement_and_run_again_the_marts_are_right(
    client: Client, monkeypatch: pytest.MonkeyPatch, events: list[Event], statement: int
) -> None:
    insert_events(client, event_rows(events[:50]))
    rebuild_days(client, _days(events[:50]))
    insert_events(client, event_rows(events[50:]))
    with monkeypatch.context() as patch:
        _kill_before(client, patch, statement)
        with pytest.raises(_Killed):
            rebuild_days(client, _days(events))
    rebuild_days(client, _days(events))
    assert _shown(client) == recount(events)


def test_hours_and_days_are_right_at_the_ends_of_time(client: Client) -> None:
    moments = [datetime(1970, 1, 1, tzinfo=UTC), datetime(2106, 2, 7, 5, 59, 59, 999_000, tzinfo=UTC)]
    for session, moment in enumerate(moments):
        insert_events(
            client,
            event_rows([{"id": session, "session_id": str(session), "created_at": moment}]),
        )
    days = days_between(client, date.min, date.max)
    assert days == [moment.date() for moment in moments]
    rebuild_days(client, days)
    assert {row[0] for row in _rows(client, "element_activity")} == {
        moment.replace(minute=0, second=0, microsecond=0) for moment in moments
    }
    users = read_view(client, "daily_active_users").sort_by("date").to_pylist()
    assert len(users) == (days[1] - days[0]).days + 1
    assert users[30] == {"date": days[0] + timedelta(days=30), "dau": 0, "wau": 0, "mau": 0}
    assert users[-1] == {"date": days[1], "dau": 1, "wau": 1, "mau": 1}


def test_tells_how_many_days_are_done(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clickstream.storage.marts._GROUP_DAYS", 2)
    told: list[tuple[int, int]] = []
    days = [after(days=day).date() for day in (4, 2, 0, 2, 1, 3)]
    assert rebuild_days(client, days, lambda done, total: told.append((done, total))) == 5
    assert told == [(2, 5), (4, 5), (5, 5)]


def test_days_are_those_with_events_or_in_a_mart(client: Client, events: list[Event]) -> None:
    insert_events(client, event_rows(events))
    rebuild_days(client, _days(events))
    client.command("truncate table events")
    first = after().date()
    assert days_between(client, first, first + timedelta(days=2)) == [first, first + timedelta(days=1)]
