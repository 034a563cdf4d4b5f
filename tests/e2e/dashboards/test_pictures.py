"""Each dashboard in a real browser: every chart is there, and none complains."""

import json
import re

import pytest
from playwright.sync_api import Page

from benchmarks.dashboard_page import charts_of, open_dashboard
from dashboards.files import read_assets
from dashboards.phone import NARROW_COOKIE, stacked
from tests.e2e.dashboards.superset_stack import Superset

ASSETS = read_assets()
DESKTOP, LAPTOP, PHONE = (1920, 1080), (1280, 800), (390, 844)
# Superset's own page would tell its makers that it is used; the content security policy does not let it.
_NOT_LET_OUT = re.compile(r"scarf\.sh.*Content Security Policy")
# The page wants to keep which colour it gave to which label; viewers may not write them.
_SAVES_COLOURS = re.compile(r"403 PUT .*/api/v1/dashboard/\d+/colors.*")


@pytest.mark.parametrize("size", [DESKTOP, LAPTOP], ids=["desktop", "laptop"])
@pytest.mark.parametrize("name", sorted(ASSETS.dashboards))
def test_every_chart_of_a_dashboard_is_drawn(
    page: Page, slugs: dict[int, str], name: str, size: tuple[int, int]
) -> None:
    dashboard = ASSETS.dashboards[name]

    opened = open_dashboard(page, dashboard["slug"], slugs, size)

    assert opened.asked.keys() == set(charts_of(dashboard))
    assert [request for request in opened.failed if not _SAVES_COLOURS.fullmatch(request)] == []
    assert [text for text in opened.complaints if not _NOT_LET_OUT.search(text)] == []
    errors = page.locator(".ant-alert-error, [data-test=error-alert]")
    assert errors.all_inner_texts() == []


@pytest.mark.parametrize("name", sorted(ASSETS.dashboards))
def test_a_phone_shows_each_chart_as_wide_as_the_screen_and_each_title_to_its_end(
    page: Page, slugs: dict[int, str], name: str
) -> None:
    dashboard = ASSETS.dashboards[name]

    opened = open_dashboard(page, dashboard["slug"], slugs, PHONE)

    assert opened.asked.keys() == set(charts_of(dashboard))
    widths = page.locator(".dashboard-component-chart-holder:visible").evaluate_all(
        "holders => holders.map(holder => holder.getBoundingClientRect().width)"
    )
    # Two cards share a row, with gutters between and beside them.
    assert min(widths) > PHONE[0] * 0.4
    assert max(widths) > PHONE[0] * 0.9
    cut = page.locator(".chart-slice .header-title:visible").evaluate_all(
        "titles => titles.filter(title => title.scrollHeight > title.clientHeight + 1)"
        ".map(title => title.innerText)"
    )
    assert cut == []
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
    assert (
        page.locator("meta[name=viewport]").get_attribute("content") == "width=device-width, initial-scale=1"
    )


@pytest.mark.parametrize(("account", "is_narrow"), [("viewer", True), ("admin", False)])
def test_only_those_who_cannot_save_it_get_the_layout_of_a_phone(
    superset: Superset, account: str, is_narrow: bool
) -> None:
    with getattr(superset, account)() as client:
        saved = client.result("/api/v1/dashboard/clickstream-overview")["position_json"]
        client.http.cookies.set(NARROW_COOKIE, "1")
        shown = client.result("/api/v1/dashboard/clickstream-overview")["position_json"]
    expected = stacked(json.loads(saved)) if is_narrow else json.loads(saved)
    assert json.loads(shown) == expected


def test_the_list_of_dashboards_begins_with_the_overview(page: Page) -> None:
    page.goto("/dashboard/list/")
    first = page.locator("a[href*='/superset/dashboard/']").first
    first.wait_for()
    assert first.inner_text() == ASSETS.dashboards["overview"]["title"]


def test_nothing_is_asked_of_other_machines(page: Page, superset: Superset) -> None:
    asked: list[str] = []
    page.on("requestfinished", lambda request: asked.append(request.url))
    page.goto("/superset/dashboard/clickstream-overview/")
    page.locator(".dashboard-component-chart-holder").first.wait_for()
    assert asked
    assert [url for url in asked if not url.startswith((superset.url, "data:", "blob:"))] == []


def test_without_events_a_dashboard_says_so_and_complains_of_nothing(
    page: Page, slugs: dict[int, str]
) -> None:
    nobody = "native_filters=(NATIVE_FILTER-country:(id:NATIVE_FILTER-country,"
    chosen = "extraFormData:(filters:!((col:country,op:IN,val:!(XX)))),filterState:(value:!(XX))))"
    page.set_viewport_size({"width": DESKTOP[0], "height": DESKTOP[1]})
    page.goto(f"/superset/dashboard/clickstream-overview/?{nobody}{chosen}")
    hint = page.get_by_text(re.compile("No results|No data"))
    hint.first.wait_for()
    assert page.locator(".ant-alert-error, [data-test=error-alert]").count() == 0


def test_a_dashboard_says_how_to_send_events_while_there_are_none(page: Page) -> None:
    hint = page.locator("#clickstream-hint")
    figure = page.locator('[data-test-chart-name^="Complete through"] .header-line')
    page.goto("/superset/dashboard/clickstream-overview/")
    figure.wait_for()
    assert hint.count() == 0

    time = figure.inner_text()
    figure.evaluate("figure => { figure.firstChild.data = 'No data'; }")
    hint.filter(has_text="Send your own data").wait_for()
    figure.evaluate("(figure, time) => { figure.firstChild.data = time; }", time)
    hint.wait_for(state="detached")
