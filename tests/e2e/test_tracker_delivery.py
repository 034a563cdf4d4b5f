"""What the tracker recorded reaches the topic: with any storage, of any size, whatever else can't be sent."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import BrowserContext, Page, Route

from tests.e2e.site import BUTTON, Site, titles

FILL_STORAGE: Final = """
(() => {
    for (let size = 1 << 20; size >= 1; size >>= 1) {
        try { for (let i = 0; ; i++) localStorage.setItem(`other-${size}-${i}`, "x".repeat(size)); } catch {}
    }
})();
"""
BLOCK_LOCAL: Final = "Object.defineProperty(window, 'localStorage', {get() { throw new Error('blocked'); }});"
BLOCK_SESSION: Final = BLOCK_LOCAL.replace("local", "session")
FORGET_ALL: Final = "Storage.prototype.setItem = () => {};"


def test_a_click_that_leaves_the_page_is_sent(page: Page, site: Site) -> None:
    site.write("next", "")
    link = f"<a id='go' data-track='go' href='{site.path}next'>Next</a>"
    page.goto(site.write("first", link))
    page.click("#go")
    page.wait_for_url(f"**{site.path}next")
    assert titles(site.wait_for("click")) == ["go"]


def test_what_could_not_be_sent_is_kept_over_pages_and_sent_once(
    context: BrowserContext, page: Page, site: Site
) -> None:
    address = site.write("away", BUTTON)
    tried: list[dict[str, Any]] = []

    def refuse(route: Route) -> None:
        tried.extend(json.loads(route.request.post_data or "[]"))
        route.fulfill(status=503, headers={"Retry-After": "1"})

    context.route("**/events?*", refuse)
    page.goto(address)
    page.click("#buy")
    while len(tried) < 2:
        page.wait_for_event("response", lambda answer: answer.status == 503, timeout=15_000)
    page.goto("about:blank")
    context.unroute("**/events?*", refuse)
    page.goto(address)
    (click,) = site.wait_for("click")
    assert {one["id"] for one in tried if one["type"] == "click"} == {click["id"]}
    page.wait_for_timeout(2_500)
    assert len(site.events("click")) == 1


def test_what_happens_without_a_network_is_sent_when_it_is_back(
    context: BrowserContext, page: Page, site: Site
) -> None:
    page.goto(site.write("offline", BUTTON))
    context.set_offline(True)
    page.click("#buy")
    page.wait_for_timeout(2_500)
    assert site.events() == []
    context.set_offline(False)
    assert titles(site.wait_for("click")) == ["buy"]


@pytest.mark.parametrize(
    ("storage", "pages"),
    [
        pytest.param(FILL_STORAGE, 2, id="full"),
        pytest.param(BLOCK_LOCAL, 2, id="local storage blocked"),
        pytest.param(BLOCK_LOCAL + BLOCK_SESSION, 1, id="all blocked"),
        pytest.param(FORGET_ALL, 1, id="keeps nothing"),
    ],
)
def test_storage_that_does_not_work_leaves_one_user_and_one_session(
    page: Page, site: Site, storage: str, pages: int
) -> None:
    """Without any storage, a person is the same for as long as the page is open."""
    page.add_init_script(storage)
    address = site.write("first-visit", BUTTON)
    for _ in range(pages):
        page.goto(address)
        for _ in range(3):
            page.click("#buy")
        page.goto("/health/live")
    clicks = site.wait_for("click", 3 * pages)
    assert len(clicks) == 3 * pages
    assert {str(one["user_id"]).isdecimal() for one in clicks} == {True}
    assert len({one["user_id"] for one in clicks}) == 1
    assert len({one["session_id"] for one in clicks}) == 1


def test_storage_that_fills_up_after_the_first_visit_changes_neither_user_nor_session(
    page: Page, site: Site
) -> None:
    address = site.write("later-visit", BUTTON)
    for _ in range(2):
        page.goto(address)
        page.click("#buy")
        page.evaluate(FILL_STORAGE)
        page.click("#buy")
    page.goto("about:blank")
    clicks = site.wait_for("click", 4)
    assert len({(one["user_id"], one["session_id"]) for one in clicks}) == 1


@pytest.mark.parametrize(
    ("name", "values"),
    [
        pytest.param("waiting", ["{", "null", "{}", "[", "5", "[null, 5, [], {}]", ""], id="waiting events"),
        pytest.param("user", ["null", "undefined", "-1", "NaN", "0x1f", "9" * 30], id="user"),
        pytest.param(
            "session", ["null", "a", " ", "a b", f"{'s' * 600} 1", "a 99999999999999"], id="session"
        ),
    ],
)
def test_what_is_damaged_in_the_storage_is_made_good(
    page: Page, site: Site, name: str, values: list[str]
) -> None:
    address = site.write("damaged", BUTTON)
    for value in values:
        page.goto("/health/live")
        page.evaluate("([key, value]) => localStorage.setItem(key, value)", [f"clickstream.{name}", value])
        page.goto(address)
        page.click("#buy")
    page.goto("about:blank")
    clicks = site.wait_for("click", len(values))
    assert len(clicks) == len(values)
    assert not {str(one["user_id"]) for one in clicks} & set(values)
    assert all(one["session_id"].isalnum() and len(one["session_id"]) < 100 for one in clicks)


def test_a_batch_is_measured_in_bytes(page: Page, site: Site) -> None:
    """Browsers refuse more than 64 KiB that may outlive the page: half as many characters in Cyrillic."""
    many = """
        <div id=list></div>
        <script>
            const text = "Тёплый зимний пуховик с капюшоном. ".repeat(30).slice(0, 900);
            for (let i = 0; i < 50; i++) {
                const card = document.createElement("div");
                card.dataset.track = "product";
                card.dataset.trackText = text;
                card.style = "display: inline-block; width: 100px; height: 60px";
                list.append(card);
            }
        </script>"""
    page.goto(site.write("many", many))
    assert len(site.wait_for("view", 50)) == 50


def test_an_event_above_the_browsers_limit_arrives_and_stops_no_other(page: Page, site: Site) -> None:
    large = BUTTON + "<button id=large data-track=large>Large</button>"
    page.goto(site.write("large", large) + "?" + "q" * 7_000)
    page.evaluate("""() => {
        const large = document.getElementById("large");
        for (let i = 0; i < 30; i++) large.setAttribute(`data-track-text${i}`, "ё".repeat(1000));
    }""")
    page.click("#large")
    page.click("#buy")
    assert sorted(titles(site.wait_for("click", 2))) == ["buy", "large"]


def test_an_event_that_is_never_answered_stops_no_other(
    context: BrowserContext, page: Page, site: Site
) -> None:
    def drop_poison(route: Route) -> None:
        if "poison" in (route.request.post_data or ""):
            route.abort()
        else:
            route.continue_()

    context.route("**/events?*", drop_poison)
    buttons = BUTTON + "<button id=bad data-track=poison>Bad</button>"
    address = site.write("mixed", buttons)
    page.goto(address)
    page.click("#buy")
    page.click("#bad")
    page.click("#buy")
    assert titles(site.wait_for("click", 2, page)) == ["buy", "buy"], "those of the same batch"
    page.click("#buy")
    site.wait_for("click", 3, page)
    page.goto(address)
    page.click("#buy")
    assert titles(site.wait_for("click", 4, page)) == ["buy"] * 4, "and those of the next page"


def test_a_batch_that_the_service_finds_too_large_is_halved(
    context: BrowserContext, page: Page, site: Site
) -> None:
    counts: list[int] = []

    def refuse_many(route: Route) -> None:
        counts.append(len(json.loads(route.request.post_data or "[]")))
        if counts[-1] > 3:
            route.fulfill(status=413, body="{}")
        else:
            route.continue_()

    context.route("**/events?*", refuse_many)
    page.goto(site.write("halves", BUTTON))
    for _ in range(8):
        page.click("#buy")
    site.wait_for("click", 8, page)
    assert max(counts) > 3
    assert len({one["id"] for one in site.events("click")}) == len(site.events("click")) == 8


def test_half_a_character_is_repaired_before_it_is_sent(page: Page, site: Site) -> None:
    page.goto(site.write("halves-of-characters", BUTTON))
    page.evaluate("""() => {
        const buy = document.getElementById("buy");
        buy.dataset.track = "buy\\ud83d";
        buy.dataset.trackWhole = "\\ud83d\\ude00";
        buy.dataset.trackLow = "\\ude00 low";
        buy.dataset.trackLong = "x".repeat(999) + "\\ud83d\\ude00";
    }""")
    page.click("#buy")
    page.goto("about:blank")
    (click,) = site.wait_for("click")
    payload = click["payload"]
    assert payload["event_title"] == "buy"
    assert (payload["whole"], payload["low"], payload["long"]) == ("😀", "\ufffd low", "x" * 999)


@pytest.mark.parametrize("ahead_seconds", [0, 600, -7_200], ids=["right", "fast", "slow"])
def test_each_batch_says_when_it_was_sent_by_the_browsers_clock(
    page: Page, site: Site, ahead_seconds: int
) -> None:
    page.add_init_script(f"""
        const RealDate = Date, now = () => RealDate.now() + {ahead_seconds} * 1000;
        Date = class extends RealDate {{
            constructor(...values) {{ super(...(values.length ? values : [now()])); }}
            static now() {{ return now(); }}
        }};""")
    page.goto(site.write("clock", BUTTON))
    with page.expect_request("**/events?*") as sent:
        page.click("#buy")
    event = next(one for one in json.loads(sent.value.post_data or "[]") if one["type"] == "click")
    created_at = datetime.fromisoformat(event["created_at"])
    sent_at = datetime.fromisoformat(parse_qs(urlsplit(sent.value.url).query)["sent_at"][0])
    assert timedelta(0) <= sent_at - created_at < timedelta(seconds=30)
    assert abs(sent_at - timedelta(seconds=ahead_seconds) - datetime.now(UTC)) < timedelta(seconds=30)
    assert site.wait_for("click")[0]["id"] == event["id"], "it is not taken for an event from the future"
