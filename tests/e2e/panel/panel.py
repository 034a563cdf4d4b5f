"""The panel as a person meets it."""

from typing import Final

from playwright.sync_api import Error, Locator, Page, expect

from benchmarks.dashboard_page import PATIENCE_MS
from stack.lifecycle import Stack
from tests.waiting import wait_until

WELL: Final = "Everything is well."
FAILED: Final = "This part of the page failed."


class Panel:
    """A panel of a running stack."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.settings = stack.settings
        self.url = f"http://127.0.0.1:{stack.settings.panel.port}"
        expect.set_options(timeout=PATIENCE_MS)

    def password(self, name: str) -> str:
        settings = self.settings.panel
        secret = settings.operator_password if name == "operator" else settings.viewer_password
        return secret.get_secret_value()

    def sign_in(self, page: Page, name: str, password: str | None = None) -> None:
        page.goto("/")
        page.get_by_label("Account").fill(name)
        page.get_by_label("Password").fill(self.password(name) if password is None else password)
        page.get_by_role("button", name="Sign in").click()


def open_page(page: Page, path: str, title: str) -> None:
    """Open a page, and wait until it has been drawn once."""
    page.goto(path)
    expect(page.get_by_role("heading", name=title, level=1)).to_be_visible()


def wait_until_drawn(page: Page) -> None:
    """Wait until the script has come to its end and every element is there."""
    expect(page.locator("[data-testid=stApp][data-test-script-state=notRunning]")).to_be_attached()
    expect(page.locator("[data-testid=stSkeleton]:visible")).to_have_count(0)


def pick(page: Page, box: Locator, option: Locator, text: str = "") -> None:
    """Choose an option of a select box; a page that is drawn again in between closes the list.

    Args:
        page: The page.
        box: The select box.
        option: The option.
        text: What is typed to find it, if anything.
    """

    def is_picked() -> bool:
        if text:
            box.fill(text)
        else:
            box.click()
        try:
            option.click(timeout=5_000)
        except Error:
            page.keyboard.press("Escape")
            return False
        return True

    wait_until_drawn(page)
    wait_until(is_picked, "the option is chosen")


def confirm(page: Page, name: str) -> None:
    """Press a button that asks first, and agree; a page that is drawn again may have closed the question."""
    question = page.get_by_test_id("stPopoverBody").get_by_role("button", name=name, exact=True)

    def is_agreed() -> bool:
        if not question.is_visible():
            page.get_by_test_id("stPopover").get_by_role("button", name=name, exact=True).click()
        try:
            question.click(timeout=5_000)
        except Error:
            return False
        return True

    wait_until(is_agreed, f"{name} is agreed to")


def cells(page: Page) -> list[str]:
    """The texts of all tables; they are drawn on canvases, with a table for screen readers inside."""
    return page.locator("[data-testid=stDataFrame] canvas td").all_text_contents()
