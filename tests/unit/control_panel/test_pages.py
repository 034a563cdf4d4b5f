"""Every page is drawn with nothing else running, and says what is missing."""

import pytest
from streamlit.testing.v1 import AppTest

from control_panel.pages import all_pages
from tests.unit.control_panel.drawn import wait_for


def _draw(path: str) -> None:
    from control_panel.pages import all_pages  # noqa: PLC0415 -- the function is run as a script of its own

    next(page for page in all_pages() if page.info.path == path).render()


def test_pages_have_places_of_their_own() -> None:
    places = [(page.info.section, page.info.order) for page in all_pages()]
    paths = [page.info.path for page in all_pages()]

    assert len(set(places)) == len(places)
    assert len(set(paths)) == len(paths)
    assert [page.info.title for page in all_pages() if page.info.is_start] == ["Overview"]


@pytest.mark.usefixtures("nothing_runs")
@pytest.mark.parametrize("path", [page.info.path for page in all_pages()])
def test_a_page_is_drawn_with_every_service_away(path: str) -> None:
    app = AppTest.from_function(_draw, kwargs={"path": path}, default_timeout=120)

    wait_for(app, "does not answer")

    title = next(page.info.title for page in all_pages() if page.info.path == path)
    assert [one.value for one in app.title] == [title]


@pytest.mark.usefixtures("nothing_runs")
def test_the_whole_panel_is_drawn_from_its_script() -> None:
    from control_panel.server import SCRIPT  # noqa: PLC0415

    app = AppTest.from_file(str(SCRIPT), default_timeout=120)

    wait_for(app, "attention")

    assert [one.value for one in app.title] == ["Overview"]
