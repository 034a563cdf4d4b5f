"""A file on its way through the browser: sent, looked at, loaded, reported on."""

import csv
import gzip
import hashlib
import io
import json
import re
from pathlib import Path

import psutil
from clickhouse_connect.driver.client import Client
from playwright.sync_api import BrowserContext, Locator, Page, expect

from clickstream.cli.runs import process_pending
from clickstream.storage.client import Role, connect
from tests.e2e.panel.panel import Panel, cells, open_page
from tests.waiting import wait_until

HEADER = "type,created_at,session_id,user_id,url,payload\n"
GOOD_LINES = 40
BAD_LINES = 3
MANY_LINES = 500_000
LOADED = "(All|Of) {lines} lines"
"""What is said of a loaded file, before and after its lines are processed."""


def line(number: int, kind: str = "view", session: str = "upload") -> str:
    payload = json.dumps({"event_title": "=cmd()", "element_id": "#a"}).replace('"', '""')
    return f'{kind},2025-06-01T10:00:{number:02}Z,{session}-{number},{number + 1},/upload,"{payload}"\n'


def write_file(folder: Path) -> Path:
    path = folder / "mine.csv"
    bad = "".join(line(50 + number, "=purchase") for number in range(BAD_LINES))
    path.write_text(HEADER + "".join(map(line, range(GOOD_LINES))) + bad)
    return path


def choose(page: Page, path: Path) -> None:
    page.frame_locator("iframe").locator("#file").set_input_files(path)


def card_of(name: str, page: Page) -> Locator:
    """What is said of an uploaded file."""
    return page.locator("[class*='st-key-uploaded-']").filter(has_text=name)


def test_a_file_is_sent_looked_at_loaded_and_reported_on(page: Page, panel: Panel, tmp_path: Path) -> None:
    open_page(page, "/upload", "Upload CSV")
    choose(page, write_file(tmp_path))

    expect(page.get_by_text("43 lines of events with commas, UTF-8")).to_be_visible()
    expect(page.get_by_text("3 would be refused (unknown_event_type 3)")).to_be_visible()
    page.get_by_role("button", name="Load the file").first.click()
    expect(page.get_by_text(re.compile(LOADED.format(lines=43)))).to_be_visible()
    process_pending(panel.settings)
    expect(
        page.get_by_text("Of 43 lines, 40 were added, 0 were duplicates and 3 were refused.")
    ).to_be_visible()
    wait_until(lambda: "mine.csv" in cells(page), "the file is in the history")

    sha256 = hashlib.sha256((tmp_path / "mine.csv").read_bytes()).hexdigest()
    report = page.request.get(f"/files/loads/{sha256}/report.csv")
    assert report.status == 200
    rows = list(csv.DictReader(io.StringIO(report.text().removeprefix("\ufeff"))))
    assert [(row["line"], row["outcome"], row["field"]) for row in rows] == [
        (str(GOOD_LINES + 2 + number), "refused", "type") for number in range(BAD_LINES)
    ]
    assert {row["value"] for row in rows} == {"'=purchase"}

    link = page.get_by_role("link", name="Repair the 3 refused lines").get_attribute("href")
    open_page(page, link or "", "Data quality")
    events = page.get_by_role("combobox", name="The last 3 events")
    expect(events).to_have_value(
        f"line {GOOD_LINES + 4} · type: unknown_event_type · session upload-{50 + BAD_LINES - 1}"
    )


def test_a_wrong_file_is_known_before_it_is_loaded(page: Page, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.csv"
    wrong.write_bytes(b"PK\x03\x04" + bytes(200))
    open_page(page, "/upload", "Upload CSV")

    choose(page, wrong)

    expect(page.get_by_text("not CSV in UTF-8").first).to_be_visible()


def test_a_large_file_does_not_fill_the_panels_memory(page: Page, panel: Panel, tmp_path: Path) -> None:
    large = tmp_path / "large.csv"
    with large.open("w") as file:
        file.write(HEADER)
        block = "".join(map(line, range(GOOD_LINES))) * 250
        for _ in range(100):
            file.write(block)
    open_page(page, "/upload", "Upload CSV")
    process = panel_process(panel)
    before = process.memory_info().rss

    choose(page, large)
    expect(page.frame_locator("iframe").get_by_text("has arrived")).to_be_visible()

    assert large.stat().st_size > 100_000_000
    assert process.memory_info().rss - before < 40_000_000


def test_the_history_tells_duplicates_with_other_content_from_copies(
    page: Page, panel: Panel, tmp_path: Path
) -> None:
    path = tmp_path / "same-ids.csv"
    ids = (700_001, 700_002, 700_001, 700_001)
    lines = [*(f"{known},{line(known % 10)}" for known in ids), f"{ids[1]},{line(9)}"]
    path.write_text(f"id,{HEADER}{''.join(lines)}")
    open_page(page, "/upload", "Upload CSV")

    choose(page, path)
    card = card_of("same-ids.csv", page)
    card.get_by_role("button", name="Load the file").click()
    expect(card.get_by_text(re.compile(LOADED.format(lines=5)))).to_be_visible()
    process_pending(panel.settings)

    counts = ["5", "2", "3", "1", "0"]  # lines, added, duplicates, with other content, refused
    wait_until(lambda: row_of("same-ids.csv", page)[3:8] == counts, "the duplicates are compared")
    expect(card.get_by_text("3 were duplicates (1 of them with other content)")).to_be_visible()


def row_of(name: str, page: Page) -> list[str]:
    """The cells of the history from a file's name on."""
    found = cells(page)
    return found[found.index(name) :] if name in found else []


def panel_process(panel: Panel) -> psutil.Process:
    port = panel.settings.panel.port
    [found] = {
        connection.pid
        for connection in psutil.net_connections("tcp")
        if connection.laddr and connection.laddr.port == port and connection.status == psutil.CONN_LISTEN
    }
    return psutil.Process(found)


def test_a_load_is_found_again_by_its_address_and_a_cancelled_one_counts_no_line_twice(
    page: Page, panel: Panel, tmp_path: Path
) -> None:
    path = tmp_path / "many.csv.gz"
    with gzip.open(path, "wt", compresslevel=1) as file:
        file.write(HEADER)
        file.writelines(line(number % 60, session=f"many-{number}") for number in range(MANY_LINES))
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    client = connect(panel.settings.clickhouse, Role.READER)

    def received() -> tuple[int, int]:
        counted = "select count(), uniqExact(offset) from raw_events where origin = {origin:String}"
        return tuple(client.query(counted, parameters={"origin": f"csv/{sha256}"}).result_rows[0])

    open_page(page, "/upload", "Upload CSV")
    choose(page, path)
    card = card_of("many.csv.gz", page)
    card.get_by_role("button", name="Load the file").click()
    page.wait_for_url("**/upload?file=*")
    open_page(page, page.url, "Upload CSV")
    wait_until(lambda: received()[0] > 0, "the first lines are loaded")
    page.get_by_role("button", name="Cancel the load").click()
    expect(page.get_by_text("The load was cancelled after line")).to_be_visible()

    loaded, distinct = received()
    assert 0 < loaded == distinct < MANY_LINES
    assert unaccounted(client) == 0
    card.get_by_role("button", name="Load it again").click()
    wait_until(lambda: received() == (MANY_LINES, MANY_LINES), "the rest is loaded")
    expect(page.get_by_text(re.compile(LOADED.format(lines=f"{MANY_LINES:,}")))).to_be_visible()
    assert unaccounted(client) == 0


def unaccounted(client: Client) -> int:
    return int(client.query("select unaccounted from completeness").result_rows[0][0])


def test_a_viewer_sees_what_was_loaded_and_sends_nothing(viewer: BrowserContext) -> None:
    page = viewer.new_page()
    open_page(page, "/upload", "Upload CSV")

    expect(page.get_by_role("heading", name="Loaded files")).to_be_visible()
    assert page.locator("iframe").count() == 0
    page.close()
