"""The tracker in a real browser, its events read from the topic."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import BrowserContext, Page

from tests.e2e.site import BUTTON, Site, titles
from tests.waiting import wait_until


def test_a_click_has_its_place_in_the_page_and_in_the_element(page: Page, site: Site) -> None:
    tall = f"<div style='height:3000px'></div>{BUTTON.replace('50px', '2000px')}"
    page.goto(site.write("tall", tall) + "?a=b#part")
    page.evaluate("scrollTo(0, 1800)")
    page.mouse.click(130, 210)
    (click,) = site.wait_for("click")
    assert click["payload"] == {
        "event_title": "buy",
        "element_id": "#buy",
        "x": 130,
        "y": 2010,
        "element_x": 30,
        "element_y": 10,
    }
    assert click["url"].endswith("/tall?a=b")
    assert (click["ip"], "Chrome" in click["user_agent"]) == ("127.0.0.1", True)


def test_the_keyboard_clicks_in_the_middle(page: Page, site: Site) -> None:
    page.goto(site.write("keys", BUTTON))
    page.focus("#buy")
    page.keyboard.press("Enter")
    (click,) = site.wait_for("click")
    assert (click["payload"]["x"], click["payload"]["y"]) == (200, 70)


def test_a_view_is_half_of_an_element_for_a_second_once_a_page_view(page: Page, site: Site) -> None:
    def box(name: str, top: int) -> str:
        style = f"position:absolute;top:{top}px;height:200px;width:50px"
        return f"<p id='{name}' data-track='{name}' style='{style}'>{name}</p>"

    # The window is 800 pixels high and paragraphs have a margin.
    boxes = "<style>p {margin: 0}</style>" + box("whole", 0) + box("half", 700) + box("less", 701)
    page.goto(site.write("boxes", boxes + box("later", 2000)))
    wait_until(lambda: sorted(titles(site.events())) == ["half", "whole"], "the first views")
    page.evaluate("scrollTo(0, 1800)")
    page.wait_for_timeout(300)
    page.evaluate("scrollTo(0, 0)")
    page.wait_for_timeout(1_500)
    page.evaluate("scrollTo(0, 1800)")
    wait_until(lambda: "later" in titles(site.events()), "the view of what was scrolled to")
    assert sorted(titles(site.events())) == ["half", "later", "whole"], (
        "a glance is no view, nor is a second look"
    )
    assert {one["payload"]["element_id"] for one in site.events()} == {"#half", "#later", "#whole"}


def test_elements_that_come_later_are_seen_and_named_by_their_place(page: Page, site: Site) -> None:
    page.goto(site.write("list", "<main id='shop'><ul><li></li><li></li></ul></main>"))
    link = '<b>x</b><a data-track="more" data-track-price="7">More</a>'
    page.evaluate("(link) => { document.querySelectorAll('li')[1].innerHTML = link; }", link)
    (view,) = site.wait_for("view")
    assert view["payload"] == {
        "event_title": "more",
        "element_id": "#shop > ul > li:nth-of-type(2) > a",
        "price": "7",
    }
    assert page.evaluate("(path) => document.querySelector(path).textContent", view["payload"]["element_id"])


def test_the_sites_own_user_id_comes_first(page: Page, site: Site) -> None:
    page.goto(site.write("own", BUTTON, "data-user-id=18446744073709551 data-page-views=off"))
    page.click("#buy")
    assert site.wait_for("click")[0]["user_id"] == "18446744073709551"


def test_another_user_is_a_random_number_that_stays(context: BrowserContext, page: Page, site: Site) -> None:
    address = site.write("anyone", BUTTON)
    for _ in range(2):
        page.goto(address)
        page.click("#buy")
    first, second = site.wait_for("click", 2)
    assert first["user_id"] == second["user_id"]
    assert first["session_id"] == second["session_id"]
    assert 0 < int(first["user_id"]) < 2**53
    assert first["id"] != second["id"]
    assert context.cookies() == []


def test_a_session_ends_after_half_an_hour_without_events(page: Page, site: Site) -> None:
    # From a while ago, so that the clock does not come to lie in the future.
    page.clock.install(time=datetime.now(UTC) - timedelta(hours=2))
    page.goto(site.write("idle", BUTTON))
    # It counts as activity, too.
    site.wait_for("view", page=page)
    for minutes in ("29:30", "30:01"):
        page.click("#buy")
        page.clock.fast_forward(minutes)
    page.click("#buy")
    page.clock.run_for(3_000)
    # Batches may lie in different partitions, which are read in any order.
    clicks = sorted(site.wait_for("click", 3), key=lambda one: str(one["created_at"]))
    sessions = [one["session_id"] for one in clicks]
    assert sessions[0] == sessions[1] != sessions[2]


def test_single_page_navigation_is_followed(page: Page, site: Site) -> None:
    page.goto(site.write("app", BUTTON))
    site.wait_for("view", 1)
    page.evaluate("history.pushState(null, '', location.pathname + '/cart')")
    views = site.wait_for("view", 2)
    page.evaluate("history.replaceState(null, '', location.href + '#anchor')")
    page.go_back()
    views = site.wait_for("view", 3)
    assert [re.sub(f"^.*{site.path}", "", one["url"]) for one in views] == ["app", "app/cart", "app"]
    assert [re.sub(f"^.*{site.path}", "", one["referrer"]) for one in views] == ["", "app", "app/cart"]


@pytest.mark.parametrize(
    "wish",
    [
        "Object.defineProperty(Navigator.prototype, 'doNotTrack', {get: () => '1'})",
        "Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', {get: () => true})",
    ],
    ids=["Do Not Track", "Global Privacy Control"],
)
def test_who_does_not_want_to_be_tracked_is_not(
    context: BrowserContext, page: Page, site: Site, wish: str
) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.add_init_script(wish)
    page.goto(site.write("private", BUTTON))
    page.click("#buy")
    page.wait_for_timeout(2_500)
    page.goto("about:blank")
    assert [url for url in asked if "/events" in url] == []
    page.goto("/health/live")
    assert page.evaluate("localStorage.length") == 0
    assert context.cookies() == []
