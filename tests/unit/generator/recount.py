"""Judges and recounts a data set from its file alone: csv, pandas, and the rules of DESIGN.md once more.

It shares no code with the generator or the pipeline, so that all three have to agree.
"""

import csv
import io
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pandas as pd

_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d)(:\d\d)?(\.\d{1,9})?(?: ?([Zz]|UTC|GMT|[+-]\d\d(?::?\d\d)?))?"
)
_LENGTHS = {"session_id": 512, "url": 8_192}
_DEVICE_TYPES = ("desktop", "mobile", "tablet")
_PAYLOAD_LENGTHS = {"event_title": 512, "element_id": 1_024}
_REQUIRED = ("type", "created_at", "session_id", "user_id", "url")
_LATEST = datetime(2100, 1, 1, tzinfo=UTC)

_CONTRACT = ("event_title", "element_id", "x", "y")

Cells = dict[str, str]


@dataclass(frozen=True)
class Recount:
    """What a file holds: its records, the codes of each (none: valid), its distinct valid events of people.

    `stored` counts those of bots, too.
    """

    records: list[list[str]]
    codes: list[set[str]]
    duplicates: int
    events: pd.DataFrame
    stored: int


def recount(path: Path) -> Recount:
    # The limit holds for the whole process, and the pipeline's modules set a lower one.
    csv.field_size_limit(1 << 30)
    text = path.read_bytes().decode("utf-8", errors="surrogateescape")
    header, *records = csv.reader(io.StringIO(text, newline=""))
    is_cut_off = not text.endswith("\n")
    codes: list[set[str]] = []
    valid: list[dict[str, object]] = []
    for number, record in enumerate(records):
        found = _judge_record(header, record)
        if is_cut_off and number == len(records) - 1:
            found = {"malformed_line"}
        codes.append(found)
        if not found:
            valid.append(_read_event(dict(zip(header, record, strict=True))))
    frame = pd.DataFrame(valid).drop_duplicates(subset="id")
    return Recount(records, codes, len(valid) - len(frame), frame[~frame["is_bot"]], len(frame))


def _judge_record(header: list[str], record: list[str]) -> set[str]:
    if sum(len(cell.encode("utf-8", errors="surrogateescape")) for cell in record) > 1 << 20:
        return {"too_large"}
    if any("\udc80" <= character <= "\udcff" for cell in record for character in cell):
        return {"invalid_encoding"}
    if len(record) != len(header):
        return {"malformed_line"}
    return judge_cells(dict(zip(header, record, strict=True)))


def judge_cells(cells: Cells) -> set[str]:
    """The codes of an event in a CSV line."""
    codes = {"missing_field" for name in _REQUIRED if cells[name] == ""}
    codes |= {"too_long" for name, most in _LENGTHS.items() if len(cells[name]) > most}
    if _word(cells["type"]) not in ("", "view", "click"):
        codes.add("unknown_event_type")
    if any(cells[name] != "" and not _is_uint(cells[name], 64) for name in ("id", "user_id")):
        codes.add("invalid_number")
    if cells["created_at"] != "":
        moment_ms = read_time(cells["created_at"])
        if moment_ms is None or moment_ms < 0:
            codes.add("invalid_timestamp")
        elif moment_ms > _LATEST.timestamp() * 1_000:
            codes.add("created_at_in_future")
    return codes | _judge_payload(cells["payload"], is_click=_word(cells["type"]) == "click")


def _judge_payload(text: str, *, is_click: bool) -> set[str]:
    if text == "":
        return {"missing_field"}
    try:
        payload = json.loads(text)
    except ValueError:
        return {"invalid_payload"}
    if not isinstance(payload, dict) or _depth(payload) > 16 or len(text.encode()) > 65_536:
        return {"invalid_payload"}
    codes = set()
    for name, most in _PAYLOAD_LENGTHS.items():
        value = payload.get(name)
        if value is None or value == "":
            codes.add("missing_field")
        elif not isinstance(value, str):
            codes.add("wrong_type")
        elif len(value) > most:
            codes.add("too_long")
    return codes.union(*(_judge_position(payload.get(name), is_click=is_click) for name in ("x", "y")))


def _judge_position(value: object, *, is_click: bool) -> set[str]:
    if value is None:
        return {"missing_field"} if is_click else set()
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return {"wrong_type"}
    return set() if _pixels(value) is not None else {"invalid_number"}


def _pixels(value: float | str) -> int | None:
    """A position rounded half up and not below 0; None if it is not a number of 32 bits."""
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    if not number.is_finite():
        return None
    rounded = max(0, int(number.to_integral_value(ROUND_HALF_UP)))
    return rounded if rounded < 2**32 else None


def _word(text: str) -> str:
    return text.strip().lower()


def _depth(value: object) -> int:
    if isinstance(value, dict):
        return 1 + max(map(_depth, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(_depth, value), default=0)
    return 0


def _is_uint(text: str, bits: int) -> bool:
    match = re.fullmatch(r"([0-9]+)(\.0+)?", text)
    return match is not None and int(match[1]) < 2 ** (53 if match[2] else bits)


def read_time(text: str) -> int | None:
    """Milliseconds since 1970, cut; None if it is no time."""
    match = _TIME.fullmatch(text)
    if not match:
        return None
    date, time, seconds, fraction, offset = match.groups()
    zone = "+00:00" if offset in (None, "Z", "z", "UTC", "GMT") else offset
    try:
        moment = datetime.fromisoformat(f"{date}T{time}{seconds or ':00'}{zone}")
    except ValueError:
        return None
    return int(moment.timestamp()) * 1_000 + int(((fraction or ".0")[1:] + "00")[:3])


def derive_device_type(user_agent: str) -> str:
    text = user_agent.lower()
    if "; aft" in text:
        return "desktop"
    if re.search(r"ipad|tablet|kindle|silk/|playbook", text) or ("android" in text and "mobi" not in text):
        return "tablet"
    return "mobile" if re.search(r"mobi|iphone|ipod|android", text) else "desktop"


def _read_event(cells: Cells) -> dict[str, object]:
    payload = json.loads(cells["payload"])
    created_ms = read_time(cells["created_at"])
    assert created_ms is not None
    moment = pd.Timestamp(created_ms, unit="ms", tz="UTC")
    return {
        "id": int(cells["id"]),
        "is_bot": "bingbot" in cells["user_agent"],
        "is_click": _word(cells["type"]) == "click",
        "is_view": _word(cells["type"]) == "view",
        "created_ms": created_ms,
        "date": moment.strftime("%Y-%m-%d"),
        "hour": moment.strftime("%Y-%m-%dT%H:00:00Z"),
        "session_id": cells["session_id"],
        "user_id": cells["user_id"],
        "url_path": _page(cells["url"]),
        "device_type": read_device_type(cells),
        "event_title": payload["event_title"],
        "element_id": payload["element_id"],
        "x_bin": (_pixels(payload.get("x", 0)) or 0) // 20 * 20,
        "y_bin": (_pixels(payload.get("y", 0)) or 0) // 20 * 20,
        "own_fields": _own_fields(payload),
    }


def _own_fields(payload: dict[str, object]) -> list[tuple[str, str]]:
    """Names and texts of what can be grouped by."""
    own = {name: value for name, value in payload.items() if name not in _CONTRACT}
    return [
        (name, value if isinstance(value, str) else json.dumps(value).removesuffix(".0"))
        for name, value in own.items()
        if value is not None and not isinstance(value, list | dict)
    ]


def read_device_type(cells: Cells) -> str:
    """The type of device that is stored: the one sent, or the one of the user agent."""
    word = _word(cells["device_type"])
    user_agent = cells["user_agent"] if len(cells["user_agent"]) <= 2_048 else ""
    return word if word in _DEVICE_TYPES else derive_device_type(user_agent)


def _page(url: str) -> str:
    """The path with the letters that its escapes spell, as far as they lie outside ASCII."""
    path = urlsplit(url).path or "/"
    kept = re.sub("%[0-7][0-9A-Fa-f]|%[Ff][8-9A-Fa-f]", lambda escape: "%25" + escape[0][1:].upper(), path)
    return unquote(kept)


def _daily_active_users(events: pd.DataFrame) -> pd.DataFrame:
    days = pd.date_range(events["date"].min(), events["date"].max())
    date = pd.to_datetime(events["date"])

    def count(day: pd.Timestamp, length: int) -> int:
        window = events[(date <= day) & (date > day - pd.Timedelta(days=length))]
        return int(window["user_id"].nunique())

    rows = [(day.strftime("%Y-%m-%d"), *(count(day, length) for length in (1, 7, 30))) for day in days]
    return pd.DataFrame(rows)


def _element_conversion(events: pd.DataFrame) -> pd.DataFrame:
    keys = ["date", "url_path", "element_id", "event_title"]
    counts = events.groupby(keys)[["is_view", "is_click"]].sum()
    percent = 100 * counts["is_click"] / counts["is_view"]
    counts["conversion_percent"] = percent.where(counts["is_view"] > 0)
    for kind in ("is_view", "is_click"):
        counts[f"sessions_{kind}"] = events[events[kind]].groupby(keys)["session_id"].nunique()
    return counts.fillna({"sessions_is_view": 0, "sessions_is_click": 0}).reset_index()


def _element_activity(events: pd.DataFrame) -> pd.DataFrame:
    return events.groupby(["hour", "element_id"])[["is_view", "is_click"]].sum().reset_index()


def _session_durations(events: pd.DataFrame) -> pd.DataFrame:
    sessions = events.groupby("session_id")["created_ms"].agg(["min", "max", "size"])
    sessions["date"] = pd.to_datetime(sessions["min"], unit="ms").dt.strftime("%Y-%m-%d")
    sessions["duration"] = (sessions["max"] - sessions["min"]).where(sessions["size"] > 1)
    by_date = sessions.groupby("date")
    return pd.DataFrame(
        {
            "sessions": by_date.size(),
            "average": by_date["duration"].sum() / by_date["duration"].count() / 1_000,
            "median": by_date["duration"].median() / 1_000,
            "single": by_date["duration"].apply(lambda durations: durations.isna().sum()),
        }
    ).reset_index()


def _device_types(events: pd.DataFrame) -> pd.DataFrame:
    groups = events.groupby(["date", "device_type"])
    return groups.agg(
        events=("id", "size"), sessions=("session_id", "nunique"), users=("user_id", "nunique")
    ).reset_index()


def _with_kinds_of_views(events: pd.DataFrame) -> pd.DataFrame:
    of_page = events["element_id"] == "html"
    return events.assign(
        is_page_view=events["is_view"] & of_page, is_element_view=events["is_view"] & ~of_page
    )


def _page_views(events: pd.DataFrame) -> pd.DataFrame:
    groups = _with_kinds_of_views(events).groupby(["date", "url_path"])
    return groups.agg(
        views=("is_view", "sum"),
        clicks=("is_click", "sum"),
        users=("user_id", "nunique"),
        sessions=("session_id", "nunique"),
        page_views=("is_page_view", "sum"),
        element_views=("is_element_view", "sum"),
    ).reset_index()


def _click_positions(events: pd.DataFrame) -> pd.DataFrame:
    clicks = events[events["is_click"]]
    return clicks.groupby(["date", "url_path", "element_id", "x_bin", "y_bin"]).size().reset_index()


def _by_own_field(events: pd.DataFrame) -> pd.DataFrame:
    rows = events.explode("own_fields").dropna(subset="own_fields").reset_index(drop=True)
    rows[["field", "value"]] = rows["own_fields"].tolist()
    return rows


def _counted(rows: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    counts = rows.groupby(keys)[["is_view", "is_click"]].sum()
    counts["percent"] = (100 * counts["is_click"] / counts["is_view"]).where(counts["is_view"] > 0)
    return counts


def _sessions(rows: pd.DataFrame, keys: list[str], kind: str) -> pd.Series:
    return rows[rows[kind]].groupby(keys)["session_id"].nunique()


def _own_fields_by_value(events: pd.DataFrame) -> pd.DataFrame:
    rows, keys = _by_own_field(events), ["date", "field", "value"]
    counts = _counted(rows, keys)
    counts["sessions"] = rows.groupby(keys)["session_id"].nunique()
    for kind in ("is_view", "is_click"):
        counts[f"sessions_{kind}"] = _sessions(rows, keys, kind)
    counts = counts.fillna({"sessions_is_view": 0, "sessions_is_click": 0}).reset_index()
    counts["values_found"] = counts.groupby(["date", "field"])["value"].transform("nunique")
    kinds = _with_kinds_of_views(rows).groupby(keys)[["is_page_view", "is_element_view"]].sum()
    return counts.merge(kinds.reset_index(), on=keys)


def _own_field_elements(events: pd.DataFrame) -> pd.DataFrame:
    rows, keys = _by_own_field(events), ["date", "field", "value", "element_id"]
    counts = _counted(rows, keys)
    for kind in ("is_view", "is_click"):
        counts[f"sessions_{kind}"] = _sessions(rows, keys, kind)
    return counts.fillna({"sessions_is_view": 0, "sessions_is_click": 0}).reset_index()


RECOUNTS: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "daily_active_users": _daily_active_users,
    "element_conversion": _element_conversion,
    "element_activity": _element_activity,
    "session_durations": _session_durations,
    "device_types": _device_types,
    "page_views": _page_views,
    "click_positions": _click_positions,
    "own_fields": _own_fields_by_value,
    "own_field_elements": _own_field_elements,
}


def as_rows(frame: pd.DataFrame) -> list[tuple[object, ...]]:
    """Rows in plain Python values, sorted; what is not there is None."""
    rows = [
        tuple(None if pd.isna(value) else value for value in row)
        for row in frame.astype(object).itertuples(index=False, name=None)
    ]
    return sorted(rows, key=lambda row: tuple(map(str, row)))
