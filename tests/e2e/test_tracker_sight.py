"""The tracker sees what a person sees and does, counts it once, and says where it can't."""

import json
import re
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from playwright.sync_api import BrowserContext, Page

from tests.e2e.site import BUTTON, Site, titles
from tests.integration.api.service import ApiStack
from tests.waiting import wait_until

MAX_TRACKER_BYTES: Final = 4_096
# Any of these hides a property of a form that a script may want to read.
HIDING_NAMES: Final = (
    *("id", "localName", "tagName", "parentNode", "parentElement", "children", "attributes", "dataset"),
    *(
        "matches",
        "closest",
        "getAttribute",
        "getBoundingClientRect",
        "isConnected",
        "getRootNode",
        "nodeType",
    ),
    *("querySelectorAll", "shadowRoot"),
)


def said(page: Page) -> list[str]:
    """What the tracker says in the console from now on."""
    messages: list[str] = []
    page.on("console", lambda one: messages.append(one.text) if one.text.startswith("clickstream") else None)
    return messages


def test_a_browser_loads_at_most_4_kb(api: ApiStack) -> None:
    headers = {"Accept-Encoding": "gzip"}
    with httpx.stream("GET", f"{api.url}/tracker.js", headers=headers, trust_env=False) as answer:
        assert answer.headers["content-encoding"] == "gzip"
        assert len(b"".join(answer.iter_raw())) <= MAX_TRACKER_BYTES


@pytest.mark.parametrize(
    ("body", "presses"),
    [
        pytest.param(f"{BUTTON}<script src='/tracker.js'></script>", ["#buy"], id="script included twice"),
        pytest.param("<label id=a data-track=a><input type=checkbox>I agree</label>", ["#a"], id="label"),
        pytest.param(
            "<p data-track=a><label id=a for=b>I agree</label><input type=checkbox id=b></p>",
            ["#a"],
            id="label beside its control",
        ),
        pytest.param(
            "<label id=a data-track=a><input id=b type=radio data-track=b>Red</label>",
            ["#a"],
            id="label and control tracked",
        ),
        pytest.param(
            "<label data-track=a><input id=b type=checkbox>I</label>", ["#b"], id="control in label"
        ),
    ],
)
def test_one_press_is_one_click(page: Page, site: Site, body: str, presses: list[str]) -> None:
    page.goto(site.write("once", body))
    for selector in presses:
        # Near the left edge, where the text of a label would be after its control: in its last pixels.
        box = page.locator(selector).bounding_box()
        assert box
        page.mouse.click(box["x"] + box["width"] - 3, box["y"] + box["height"] / 2)
    page.wait_for_timeout(1_500)
    page.goto("about:blank")
    site.wait_for("click", len(presses))
    assert len(site.events("click")) == len(presses)
    assert len(titles(site.events("view"))) == len(set(titles(site.events("view"))))


def test_two_presses_are_two_clicks(page: Page, site: Site) -> None:
    page.goto(site.write("twice", "<label id=a data-track=a>I agree <input type=checkbox></label>"))
    for _ in range(2):
        page.click("#a", position={"x": 3, "y": 5})
    page.focus("input")
    page.keyboard.press("Space")
    page.goto("about:blank")
    assert len(site.wait_for("click", 3)) == 3


def test_clicks_made_by_scripts_are_not_a_persons(page: Page, site: Site) -> None:
    page.goto(site.write("scripted", BUTTON))
    page.evaluate("document.getElementById('buy').click()")
    page.evaluate("document.getElementById('buy').dispatchEvent(new MouseEvent('click', {bubbles: true}))")
    page.mouse.click(150, 60)
    page.goto("about:blank")
    (click,) = site.wait_for("click")
    assert click["payload"]["x"] == 150


def test_an_element_is_named_by_its_selector_whatever_inputs_its_form_has(page: Page, site: Site) -> None:
    # By the mouse, since Playwright too is at a loss with some of these forms.
    forms = "".join(
        f"<form id=order-{name} data-track=a style='top: {20 * row}px; left: 0'><input name={name}></form>"
        f"<section><form data-track=b style='top: {20 * row}px; left: 90px'><input name={name}></form>"
        "</section>"
        for row, name in enumerate(HIDING_NAMES)
    )
    style = "form {position: absolute; width: 60px; height: 15px} input {display: none}"
    page.goto(site.write("forms", f"<style>{style}</style><main>{forms}</main>"))
    for row in range(len(HIDING_NAMES)):
        page.mouse.click(30, 20 * row + 5)
        page.mouse.click(120, 20 * row + 5)
    page.goto("about:blank")
    clicks = site.wait_for("click", 2 * len(HIDING_NAMES))
    expected = {f"#order-{name}" for name in HIDING_NAMES}
    expected |= {
        f"body > main > section:nth-of-type({place}) > form" for place in range(1, len(HIDING_NAMES) + 1)
    }
    assert {one["payload"]["element_id"] for one in clicks} == expected


def test_what_hides_properties_of_the_document_hides_none_from_the_tracker(page: Page, site: Site) -> None:
    names = (
        "hidden",
        "referrer",
        "documentElement",
        "querySelector",
        "querySelectorAll",
        "readyState",
        "body",
    )
    forms = "".join(f"<form name={name}></form>" for name in names)
    page.goto(site.write("document", BUTTON + forms))
    site.wait_for("view")
    page.click("#buy")
    assert titles(site.wait_for("click")) == ["buy"]


@pytest.mark.parametrize(
    ("head", "body"),
    [
        pytest.param("<html dir=rtl>", "<body>", id="html"),
        pytest.param("", "<body dir=rtl>", id="body"),
        pytest.param("", "<body style='writing-mode: vertical-rl'>", id="vertical"),
    ],
)
def test_a_page_from_right_to_left_is_measured_from_its_left_edge(
    page: Page, site: Site, head: str, body: str
) -> None:
    style = "position: absolute; top: 20px; width: 100px; height: 30px; margin: 0"
    buttons = "".join(
        f"<button id={name} data-track={name} style='{style}; right: {right}px'></button>"
        for name, right in (("a", 1_400), ("b", 1_700))
    )
    inner = f"<div style='width: 3000px; height: 200px; position: relative'>{buttons}</div>"
    page.goto(site.write("rtl", f"{body}<style>body {{margin: 0}}</style>{inner}", head=head))
    page.evaluate("scrollTo(-1200, 0)")
    page.click("#a")
    page.click("#b")
    page.goto("about:blank")
    clicks = {one["payload"]["event_title"]: one["payload"]["x"] for one in site.wait_for("click", 2)}
    assert clicks == {"a": 1_550, "b": 1_250}


BUY_BOX: Final = """
    const fill = (host) => host.shadowRoot.innerHTML = "<button data-track=buy>Buy</button>";
    const later = (act, ...values) => setTimeout(act, 100, ...values);
    const define = (connect) => customElements.define("buy-box", class extends HTMLElement {
        connectedCallback() { this.attachShadow({mode: "open"}); connect(this); }
    });"""
DECLARED: Final = "<template shadowrootmode=open><button data-track=buy>Buy</button></template>"
SHADOW_PAGES: Final = {
    "defined before": f"<script>{BUY_BOX} define(fill);</script><buy-box></buy-box>",
    "defined later": f"<buy-box></buy-box><script>{BUY_BOX} later(define, fill);</script>",
    "filled later": f"<script>{BUY_BOX} define((host) => later(fill, host));</script><buy-box></buy-box>",
    "declared": f"<buy-box>{DECLARED}</buy-box>",
}


@pytest.mark.parametrize("kind", SHADOW_PAGES)
def test_elements_in_open_shadow_roots_are_seen_and_clicked(page: Page, site: Site, kind: str) -> None:
    page.goto(site.write("shadow", SHADOW_PAGES[kind]))
    (view,) = site.wait_for("view")
    page.click("button")
    (click,) = site.wait_for("click")
    for event in (view, click):
        assert event["payload"]["element_id"] == "body > buy-box >>> button"


def test_shadow_roots_within_shadow_roots_are_told_apart(page: Page, site: Site) -> None:
    script = """<script>
        for (const host of document.querySelectorAll("outer-box")) {
            host.attachShadow({mode: "open"}).innerHTML = "<inner-box></inner-box>";
            const inner = host.shadowRoot.firstChild.attachShadow({mode: "open"});
            inner.innerHTML = "<button id=buy data-track=buy>Buy</button><i data-track=more>More</i>";
        }
    </script>"""
    page.goto(
        site.write("nested", f"<main id=shop><outer-box></outer-box><outer-box></outer-box></main>{script}")
    )
    views = site.wait_for("view", 4)
    assert sorted(one["payload"]["element_id"] for one in views) == [
        "#buy",
        "#buy",
        "#shop > outer-box:nth-of-type(1) >>> inner-box >>> i",
        "#shop > outer-box:nth-of-type(2) >>> inner-box >>> i",
    ]


@pytest.mark.parametrize(
    ("style", "offset", "is_seen"),
    [
        pytest.param("height: 2500px", 0, True, id="tall, covers the window"),
        pytest.param("height: 80000px", 0, True, id="very tall"),
        pytest.param("height: 2500px", 330, True, id="tall, covers more than half"),
        pytest.param("height: 2500px", 410, False, id="tall, covers less than half"),
        pytest.param("height: 2500px; width: 60px", 330, True, id="tall and narrow"),
        pytest.param("height: 90px; width: 6000px", 0, True, id="wide"),
    ],
)
def test_an_element_larger_than_the_window_is_seen_once_it_covers_half_of_it(
    page: Page, site: Site, style: str, offset: int, is_seen: bool
) -> None:
    body = (
        "<style>body, p {margin: 0}</style><p id=mark data-track=mark style='width: 9px; height: 9px'></p>"
        "<style>article {position: absolute; width: 100%}</style>"
        f"<article data-track=long style='top: {offset}px; {style}'></article>"
    )
    page.goto(site.write("large", body))
    wait_until(lambda: "mark" in titles(site.events("view")), "the view of what is surely seen")
    assert ("long" in titles(site.events("view"))) == is_seen


def test_an_element_that_is_tagged_later_is_seen_and_so_is_another_title(page: Page, site: Site) -> None:
    page.goto(site.write("later", "<button id=buy>Buy</button>"))
    page.evaluate("document.getElementById('buy').dataset.track = 'first'")
    site.wait_for("view")
    page.evaluate("document.getElementById('buy').dataset.track = 'second'")
    assert titles(site.wait_for("view", 2)) == ["first", "second"]


def test_a_link_that_is_opened_in_a_new_tab_is_clicked(page: Page, site: Site) -> None:
    page.goto(site.write("middle", f"{BUTTON}<a id=go href='#next' data-track=go><b>Go</b></a>"))
    page.click("#buy", button="middle")
    page.click("b", button="right")
    page.click("b", button="middle")
    page.click("b", modifiers=["Control"])
    page.goto("about:blank")
    site.wait_for("click", 2)
    assert titles(site.events("click")) == ["go", "go"]


def test_a_tag_on_the_root_counts_every_click_on_the_page(page: Page, site: Site) -> None:
    page.goto(site.write("root", "<p>Text</p>", head="<html id=top data-track=home>"))
    page.click("p")
    events = [*site.wait_for("click"), *site.wait_for("view")]
    assert [(one["payload"]["event_title"], one["payload"]["element_id"]) for one in events] == [
        ("home", "html"),
        ("home", "html"),
    ]


def test_each_page_view_is_a_view_of_the_page_itself(context: BrowserContext, page: Page, site: Site) -> None:
    page.goto(site.write("plain", "<p>Nothing is tracked here.</p>", script=""))
    page.evaluate("history.pushState(null, '', location.pathname + '/next')")
    page.evaluate("history.replaceState(null, '', location.href + '#anchor')")
    page.go_back()
    page.wait_for_function("!location.pathname.endsWith('next')")
    page.goto("about:blank")
    views = sorted(site.wait_for("view", 3), key=lambda one: str(one["created_at"]))
    assert [(one["payload"], re.sub("^.*/", "", one["url"])) for one in views] == [
        ({"event_title": "page", "element_id": "html"}, name) for name in ("plain", "next", "plain")
    ]


def test_the_view_of_a_page_has_the_fields_and_the_title_of_its_root(page: Page, site: Site) -> None:
    page.goto(site.write("fields", "", script="", head="<html data-track=home data-track-variant=b>"))
    page.goto("about:blank")
    (view,) = site.wait_for("view")
    assert view["payload"] == {"event_title": "home", "element_id": "html", "variant": "b"}


def test_fields_of_the_root_belong_to_all_events_of_the_page(page: Page, site: Site) -> None:
    buttons = "<button data-track=one>1</button><button data-track=two data-track-variant=a>2</button>"
    page.goto(site.write("root", buttons, head="<html data-track-variant=b data-track-plan=free>"))
    page.click("text=1")
    page.click("text=2")
    page.goto("about:blank")
    clicks = {one["payload"]["event_title"]: one["payload"] for one in site.wait_for("click", 2)}
    assert {title: (sent["variant"], sent["plan"]) for title, sent in clicks.items()} == {
        "one": ("b", "free"),
        "two": ("a", "free"),
    }


def test_a_script_in_the_head_waits_for_the_user_id_in_the_body(page: Page, site: Site) -> None:
    head = "<head><script src='/tracker.js'></script></head>"
    page.goto(site.write("head", "<p data-user-id=77>Hello</p>", head=head))
    page.goto("about:blank")
    assert [one["user_id"] for one in site.wait_for("view")] == ["77"]


@pytest.mark.parametrize(
    ("given", "is_taken"),
    [
        ("12345678901234567890", True),
        ("18446744073709551615", True),
        ("18446744073709551616", False),
        ("7c9e6679-7425-40de-944b-e07fc1f90ae7", False),
        ("-1", False),
    ],
)
def test_own_user_ids_are_any_uint64_and_others_are_named(
    page: Page, site: Site, given: str, is_taken: bool
) -> None:
    messages = said(page)
    page.goto(site.write("ids", f"<div data-user-id={given}></div>{BUTTON}"))
    page.click("#buy")
    page.click("#buy")
    page.goto("about:blank")
    assert {one["user_id"] == given for one in site.wait_for("click", 2)} == {is_taken}
    assert len(messages) == (not is_taken)
    assert all(given in message and "2^64" in message for message in messages)


def test_a_name_that_the_tracker_sets_itself_is_not_taken_and_named_once(page: Page, site: Site) -> None:
    messages = said(page)
    page.goto(
        site.write("names", BUTTON.replace("data-track=", "data-track-x=far data-track-size=L data-track="))
    )
    page.click("#buy")
    page.click("#buy")
    page.goto("about:blank")
    assert {(one["payload"]["x"] > 0, one["payload"]["size"]) for one in site.wait_for("click", 2)} == {
        (True, "L")
    }
    assert len(messages) == 1
    assert "data-track-x" in messages[0]


@pytest.mark.parametrize(
    ("tag", "part"),
    [
        pytest.param("<script type=module src='{url}/tracker.js'></script>", "as a module", id="module"),
        pytest.param("<script>{source}</script>", "data-endpoint", id="inline"),
    ],
)
def test_a_tag_that_can_not_work_is_named_once_in_the_console(
    context: BrowserContext, page: Page, api: ApiStack, tag: str, part: str
) -> None:
    messages = said(page)
    html = tag.format(url=api.url, source=api.client.get("/tracker.js").text)
    context.route(
        "**/wrong-tag",
        lambda route: route.fulfill(body=f"{BUTTON}{html}", content_type="text/html; charset=utf-8"),
    )
    page.goto("/wrong-tag")
    page.click("#buy")
    assert len(messages) == 1
    assert part in messages[0]


def test_a_page_from_a_file_is_named_in_the_console(page: Page, api: ApiStack, tmp_path: Path) -> None:
    messages = said(page)
    file = tmp_path / "page.html"
    file.write_text(f"{BUTTON}<script src='{api.url}/tracker.js'></script>")
    page.goto(file.as_uri())
    assert len(messages) == 1
    assert "web server" in messages[0]


def test_an_inline_script_with_an_endpoint_works(page: Page, api: ApiStack, site: Site) -> None:
    source = api.client.get("/tracker.js").text
    page.goto(site.write("inline", f"{BUTTON}<script data-endpoint='{api.url}/events'>{source}</script>"))
    page.click("#buy")
    page.goto("about:blank")
    assert titles(site.wait_for("click")) == ["buy"]


def test_what_the_service_rejects_is_named_once_in_the_console(page: Page, site: Site) -> None:
    messages = said(page)
    page.goto(site.write("rejected", BUTTON))
    page.click("#buy")
    (click,) = site.wait_for("click")
    for number in (1, 2):
        waiting = [{"id": str(number)}, {**click, "id": str(100 + number)}]
        page.evaluate("(text) => localStorage.setItem('clickstream.waiting', text)", json.dumps(waiting))
        with page.expect_response("**/events?*") as answered:
            page.evaluate("dispatchEvent(new Event('online'))")
        assert (answered.value.status, answered.value.json()["rejected"]) == (202, 1)
        page.wait_for_function("localStorage.getItem('clickstream.waiting') === '[]'")
    assert len(messages) == 1
    assert '"missing_field"' in messages[0]


def test_a_site_that_may_not_send_is_told_what_to_set(browser: Any, api: ApiStack) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        messages = said(page)
        html = f"{BUTTON}<script src='{api.url}/tracker.js'></script>"
        context.route(
            "http://shop.example/", lambda route: route.fulfill(body=html, content_type="text/html")
        )
        with page.expect_console_message(lambda one: one.text.startswith("clickstream"), timeout=60_000):
            page.goto("http://shop.example/")
        assert len(messages) == 1
        assert "add http://shop.example to CLICKSTREAM_API__CORS_ORIGINS" in messages[0]


@pytest.mark.parametrize(
    ("agent", "touch_points", "device"),
    [
        pytest.param("Macintosh; Intel Mac OS X 10_15_7", 5, "tablet", id="an iPad that poses as a Mac"),
        pytest.param("Macintosh; Intel Mac OS X 10_15_7", 0, None, id="a Mac"),
        pytest.param("Windows NT 10.0; Win64; x64", 10, None, id="a laptop with a touch screen"),
    ],
)
def test_an_ipad_that_poses_as_a_mac_is_a_tablet(
    browser: Any, api: ApiStack, site: Site, agent: str, touch_points: int, device: str | None
) -> None:
    name = f"Mozilla/5.0 ({agent}) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Safari/605.1.15"
    with browser.new_context(base_url=api.url, user_agent=name) as context:
        page = context.new_page()
        touching = (
            f"Object.defineProperty(Navigator.prototype, 'maxTouchPoints', {{get: () => {touch_points}}})"
        )
        page.add_init_script(touching)
        address = Site.write(site, "device", BUTTON)
        html = f"<!doctype html><body>{BUTTON}<script src='/tracker.js' data-page-views=off></script>"
        context.route(f"**{address}", lambda route: route.fulfill(body=html, content_type="text/html"))
        page.goto(address)
        page.click("#buy")
        page.goto("about:blank")
        (click,) = site.wait_for("click")
    assert click.get("device_type") == device
