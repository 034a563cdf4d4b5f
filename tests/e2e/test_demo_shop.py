"""From a click in the demo shop to a row in `events`."""

from collections.abc import Mapping
from typing import Any

from playwright.sync_api import Page

from clickstream.etl import process
from clickstream.storage.client import Role, connect
from tests.integration.api.service import ApiStack
from tests.waiting import wait_until


def _process() -> Mapping[str, Any]:
    """One run of `process_events`, its blocks one after the other."""
    manifest = process.stage_raw_events()
    for step in (
        process.validate_events,
        process.store_quarantined_events,
        process.parse_payload,
        process.store_events,
        process.build_marts,
    ):
        manifest = step(manifest)
    return process.finish_run(manifest)


def test_a_purchase_in_the_demo_shop_becomes_events(api: ApiStack, page: Page) -> None:
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.goto("/demo")
    page.wait_for_timeout(1_200)
    for element in ("#shop-now", "#kind-cups", "#product-3", "#add-to-cart", "#nav-cart", "#submit-button"):
        page.click(element)
    page.wait_for_selector("#log-list .click:has-text('checkout')")
    assert page.text_content("h1") == "Thank you!"
    assert problems == []

    client = connect(api.settings.clickhouse, Role.WRITER)
    clicks = "select count() from events where type = 'click' and url_path like '/demo%'"

    def is_stored() -> bool:
        _process()
        return bool(client.command(clicks) == 6)

    wait_until(is_stored, "six clicks in events")
    rows = client.query(
        "select element_id, event_title, url_path, device_type, ip, x > 0, payload.price.:String, source "
        "from events where type = 'click' and url_path like '/demo%' order by created_at, id"
    ).result_rows
    assert [row[0] for row in rows] == [
        *("#shop-now", "#kind-cups", "#product-3", "#add-to-cart", "#nav-cart", "#submit-button")
    ]
    assert rows[3] == (
        "#add-to-cart",
        "add_to_cart",
        "/demo/product/3",
        "desktop",
        "127.0.0.1",
        True,
        "18",
        "tracker",
    )
    assert rows[5][:3] == ("#submit-button", "checkout", "/demo/cart")
    views = client.query("select distinct element_id from events where type = 'view'").result_columns[0]
    assert {"#brand", "#shop-now", "#product-1"} <= set(views)
