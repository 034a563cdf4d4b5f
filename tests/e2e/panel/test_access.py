"""Who may see and change what."""

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.e2e.panel.panel import Panel, open_page, wait_until_drawn


def test_a_wrong_password_is_told(browser: Browser, panel: Panel) -> None:
    with browser.new_context(base_url=panel.url) as context:
        page = context.new_page()
        panel.sign_in(page, "operator", "guess")

        expect(page.get_by_role("alert")).to_have_text("The name or the password is wrong.")


def test_signing_out_ends_the_session(browser: Browser, panel: Panel) -> None:
    with browser.new_context(base_url=panel.url) as context:
        page = context.new_page()
        panel.sign_in(page, "viewer")
        page.get_by_role("button", name="Sign out").click()
        page.wait_for_url("**/sign-in")

        page.goto("/reports")

        expect(page.get_by_label("Password")).to_be_visible()
        page.get_by_label("Account").fill("viewer")
        page.get_by_label("Password").fill(panel.password("viewer"))
        page.keyboard.press("Enter")
        page.wait_for_url("**/reports")


@pytest.mark.parametrize(
    ("path", "title", "buttons"),
    [
        ("/generators", "Generators", ["Start"]),
        ("/generators?part=Files", "Generators", ["Write the file"]),
        ("/generators?part=Verify", "Generators", ["Verify"]),
        ("/pipelines", "Pipelines", ["Run now …", "Pause the schedule"]),
    ],
    ids=["live", "files", "verify", "pipelines"],
)
def test_what_an_operator_may_press_a_viewer_does_not_see(
    operator: BrowserContext, viewer: BrowserContext, path: str, title: str, buttons: list[str]
) -> None:
    counts = {}
    for context in (operator, viewer):
        page = context.new_page()
        open_page(page, path, title)
        if context is operator:
            for name in buttons:
                expect(page.get_by_test_id("stMain").get_by_role("button", name=name)).to_be_visible()
        else:
            wait_until_drawn(page)
            main = page.get_by_test_id("stMain")
            counts = {name: main.get_by_role("button", name=name).count() for name in buttons}
        page.close()

    assert counts == dict.fromkeys(buttons, 0)


def test_what_streamlit_leaves_open_is_closed(panel: Panel, viewer: BrowserContext) -> None:
    cookies = {cookie["name"]: cookie["value"] for cookie in viewer.cookies()}
    with httpx.Client(base_url=panel.url, cookies=cookies) as client:
        assert client.get("/_stcore/metrics").status_code == 404
        assert client.get("/health", headers={"host": "evil.example"}).status_code == 400
        assert client.post("/sign-out", headers={"origin": "http://evil.example"}).status_code == 403
        assert client.get("/files/jobs/0123456789abcdef/events.csv").status_code == 403
    assert httpx.get(f"{panel.url}/_stcore/host-config").status_code == 401


def test_nothing_is_loaded_from_elsewhere_and_nothing_complains(page: Page, panel: Panel) -> None:
    foreign: list[str] = []
    complaints: list[str] = []
    page.on(
        "request", lambda request: None if request.url.startswith(panel.url) else foreign.append(request.url)
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if "Content Security" in said.text else None)

    open_page(page, "/", "Overview")
    wait_until_drawn(page)

    assert [url for url in foreign if not url.startswith(("data:", "blob:"))] == []
    assert complaints == []
