import csv
import io
from collections.abc import Callable

import pytest

from generator.csv_lines import COLUMNS, SessionLines
from generator.devices import DEVICES
from generator.plan import Plan
from generator.profiles import Population
from generator.quirks import QUIRKS, Quirk
from generator.sessions import SessionMaker
from tests.unit.generator.conftest import Dataset
from tests.unit.generator.recount import Cells, derive_device_type, judge_cells, read_device_type, read_time


@pytest.mark.parametrize("quirk", QUIRKS, ids=lambda quirk: quirk.__qualname__)
def test_each_quirk_leaves_the_event_valid_and_means_what_the_event_says(quirk: Quirk) -> None:
    maker = SessionMaker(Plan().seed, Population(1, 30))
    while True:
        session = maker.make_session(1_717_200_000_123)
        event = next((event for event in session.events if quirk(event, session)), None)
        if event is not None:
            break
    session.events = [event]
    (record,) = csv.reader(io.StringIO(SessionLines().format_events(session)[0], newline=""), strict=True)
    cells = dict(zip(COLUMNS, record, strict=True))

    assert judge_cells(cells) == set()
    assert read_time(cells["created_at"]) == event.created_ms
    expected_device = event.device_type or session.device.device_type
    assert read_device_type(cells) == expected_device


@pytest.mark.parametrize("device", DEVICES, ids=lambda device: device.user_agent[13:50])
def test_devices_match_their_user_agents(device: object) -> None:
    assert device.device_type == derive_device_type(device.user_agent)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "is_there",
    [
        pytest.param(lambda c: c["url"].startswith("/"), id="path only"),
        pytest.param(lambda c: c["url"].startswith("https://"), id="full url"),
        pytest.param(lambda c: c["url"] == "https://shop.example.com", id="host alone"),
        pytest.param(lambda c: "#" in c["url"] and "?" in c["url"], id="query and fragment"),
        pytest.param(lambda c: c["device_type"] == "", id="no device type"),
        pytest.param(lambda c: c["ip"] == c["referrer"] == c["user_agent"] == "", id="no optional cell"),
        pytest.param(lambda c: "\n" in c["user_agent"], id="line break in the user agent"),
        pytest.param(lambda c: "\r\n" in c["payload"], id="line break in the payload"),
        pytest.param(lambda c: "🛒" in c["payload"], id="beyond the basic plane"),
        pytest.param(lambda c: r"\ud83d\uded2" in c["payload"], id="escaped surrogate pair"),
        pytest.param(lambda c: c["created_at"].endswith("+03:00"), id="offset"),
        pytest.param(lambda c: c["created_at"][10] == " ", id="space for T"),
        pytest.param(lambda c: ":" in c["ip"], id="IPv6"),
        pytest.param(lambda c: int(c["id"]) >= 2**63, id="id past Int64"),
        pytest.param(lambda c: len(c["user_agent"]) == 2_048, id="longest user agent"),
        pytest.param(lambda c: '"experiment"' in c["payload"], id="nested custom fields"),
        pytest.param(lambda c: "4294967295" in c["payload"], id="largest x"),
    ],
)
def test_the_file_holds_valid_rarities(dataset: Dataset, is_there: Callable[[Cells], bool]) -> None:
    recount = dataset.recount
    valid = (record for record, codes in zip(recount.records, recount.codes, strict=True) if not codes)

    assert any(is_there(dict(zip(COLUMNS, record, strict=True))) for record in valid)
