"""What can be told of a page's looks without looking: contrast, labels, width."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from benchmarks.dashboard_page import PATIENCE_MS
from control_panel import tables
from tests.e2e.panel.panel import Panel, open_page, wait_until_drawn

PAGES = [
    ("/", "Overview"),
    ("/generators", "Generators"),
    ("/generators?part=Files", "Generators"),
    ("/generators?part=Verify", "Generators"),
    ("/pipelines", "Pipelines"),
    ("/pipelines?pipeline=rebuild_marts", "Pipelines"),
    ("/upload", "Upload CSV"),
    ("/quality", "Data quality"),
    ("/quality?quality+part=Expectations", "Data quality"),
    ("/events", "Events"),
    ("/events?view=send", "Events"),
    ("/events?view=look-up", "Events"),
    ("/privacy", "Privacy"),
    ("/monitoring", "Monitoring"),
    ("/reports", "Reports"),
]

# Texts whose colour stands out too little from what is behind them; large ones may stand out less.
_FAINT = """() => {
    const parse = text => (text.match(/[0-9.]+/g) || [0, 0, 0, 0]).map(Number);
    const over = (front, back) => {
        const alpha = front[3] === undefined ? 1 : front[3];
        return [0, 1, 2].map(i => front[i] * alpha + back[i] * (1 - alpha));
    };
    const light = colour => {
        const part = value => (value /= 255) <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
        return 0.2126 * part(colour[0]) + 0.7152 * part(colour[1]) + 0.0722 * part(colour[2]);
    };
    const behind = element => {
        const layers = [];
        for (let at = element; at; at = at.parentElement) {
            layers.push(parse(getComputedStyle(at).backgroundColor));
        }
        return layers.reverse().reduce((back, front) => over(front, back), [255, 255, 255]);
    };
    const faint = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const element = walker.currentNode.parentElement, text = walker.currentNode.textContent.trim();
        if (!text || !element.checkVisibility({checkOpacity: true, checkVisibilityCSS: true})) continue;
        if (element.closest('canvas, script, style, noscript, [aria-disabled=true], :disabled')) continue;
        const box = element.getBoundingClientRect();
        if (!box.width || !box.height) continue;
        const style = getComputedStyle(element), back = behind(element), front = parse(style.color);
        let opacity = 1;
        for (let at = element; at; at = at.parentElement) opacity *= Number(getComputedStyle(at).opacity);
        front[3] = (front[3] === undefined ? 1 : front[3]) * opacity;
        const [one, two] = [light(over(front, back)), light(back)];
        const contrast = (Math.max(one, two) + 0.05) / (Math.min(one, two) + 0.05);
        const size = parseFloat(style.fontSize);
        const isLarge = size >= 24 || size >= 18.6 && style.fontWeight >= 700;
        const isIcon = element.closest('[data-testid=stIconMaterial]');
        const least = isLarge || isIcon ? 3 : 4.5;
        if (contrast < least) faint.push(`${text.slice(0, 40)}: ${contrast.toFixed(2)}`);
    }
    return faint;
}"""

_UNNAMED = """() => [...document.querySelectorAll('main input, main textarea, main select, main button')]
    .filter(field => field.type !== 'hidden' && field.tabIndex >= 0 && field.checkVisibility())
    .filter(field => !(field.labels && field.labels.length) && !field.getAttribute('aria-label')
        && !field.getAttribute('aria-labelledby') && !field.title && !field.textContent.trim())
    .map(field => field.outerHTML.slice(0, 120))"""


@pytest.fixture(params=["light", "dark"])
def themed(request: pytest.FixtureRequest, browser: Browser, panel: Panel) -> Iterator[Page]:
    context = browser.new_context(
        base_url=panel.url, color_scheme=request.param, viewport={"width": 1400, "height": 900}
    )
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    panel.sign_in(page, "operator")
    yield page
    context.close()


def test_texts_stand_out_and_fields_have_names(themed: Page) -> None:
    faint, unnamed = {}, {}
    for path, title in PAGES:
        open_page(themed, path, title)
        wait_until_drawn(themed)
        faint[path] = themed.evaluate(_FAINT)
        unnamed[path] = themed.evaluate(_UNNAMED)

    assert faint == {path: [] for path, _ in PAGES}
    assert unnamed == {path: [] for path, _ in PAGES}


def test_a_phone_need_not_scroll_sideways(browser: Browser, panel: Panel) -> None:
    with browser.new_context(base_url=panel.url, viewport={"width": 390, "height": 844}) as context:
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        panel.sign_in(page, "viewer")
        wide = {}
        for path, title in PAGES:
            open_page(page, path, title)
            wait_until_drawn(page)
            main = page.get_by_test_id("stMain")
            wide[path] = main.evaluate("main => main.scrollWidth - main.clientWidth")

    assert wide == {path: 0 for path, _ in PAGES}


@pytest.mark.parametrize("width", [320, 390, 1400])
def test_a_table_of_counts_fits_its_place_and_names_each_count(browser: Browser, width: int) -> None:
    columns = {
        "source": "Source",
        "received": "Received",
        "quarantined": "Quarantined",
        "open": "Not repaired",
    }
    rows = [{"source": "tracker", "received": 123_456_789, "quarantined": 1_234_567, "open": 0}]
    with browser.new_context(viewport={"width": width, "height": 600}) as context:
        page = context.new_page()
        table = tables.html(rows, "source", columns, alt="Counts")
        page.set_content(f"<style>{tables.STYLE}</style>{table}")

        assert page.evaluate("document.documentElement.scrollWidth") == width
        expect(page.get_by_role("table", name="Counts")).to_contain_text("123,456,789")
        name = page.evaluate(
            "getComputedStyle(document.querySelector('td'), '::before').content.replaceAll('\"', '')"
        )
        assert name == ("Received" if width <= 640 else "none")


def test_the_navigation_is_reached_by_keyboard(page: Page) -> None:
    open_page(page, "/", "Overview")
    page.get_by_role("link", name="Pipelines").focus()
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", name="Pipelines", level=1)).to_be_visible()
