"""Test pages with the real tracker, and the events that they cause."""

import uuid
from collections.abc import Callable
from typing import Any, Final

from playwright.sync_api import BrowserContext, Page

from tests.integration.api.service import Record
from tests.waiting import wait_until

BUTTON: Final = (
    "<style>#buy {position: absolute; left: 100px; top: 50px; width: 200px; height: 40px}</style>"
    "<button id='buy' data-track='buy'>Buy</button>"
)


class Site:
    """Pages that a test writes, served beside the real tracker, and the events that come of them."""

    def __init__(self, context: BrowserContext, read: Callable[[], list[Record]], topic: str) -> None:
        self._context = context
        self._read = read
        self._topic = topic
        # The pages of earlier tests may still send what they have left.
        self.path = f"/{uuid.uuid4().hex}/"

    def write(self, name: str, body: str, script: str = "data-page-views=off", head: str = "") -> str:
        """A page with the tracker, by default without views of the page itself; gives its address."""
        html = f"<!doctype html>{head}<body>{body}<script src='/tracker.js' {script}></script></body>"
        self._context.route(
            f"**{self.path}{name}*",
            lambda route: route.fulfill(body=html, content_type="text/html; charset=utf-8"),
        )
        return self.path + name

    def events(self, kind: str = "") -> list[dict[str, Any]]:
        """What the tracker has delivered, of one kind or all."""
        records = [record for record in self._read() if self.path in str(record.events)]
        assert {record.headers["source"] for record in records} <= {b"tracker"}
        assert {record.topic for record in records} <= {self._topic}, "none is rejected"
        return [one for record in records for one in record.events if kind in ("", one["type"])]

    def wait_for(self, kind: str, count: int = 1, page: Page | None = None) -> list[dict[str, Any]]:
        """The events of a kind, once there are as many.

        Routes of a test answer only while it calls the browser: where it has some, it gives a page.
        """

        def has_come() -> bool:
            if page is not None:
                page.wait_for_timeout(50)
            return len(self.events(kind)) >= count

        wait_until(has_come, f"{count} of {kind}")
        return self.events(kind)


def titles(events: list[dict[str, Any]]) -> list[str]:
    return [one["payload"]["event_title"] for one in events]
