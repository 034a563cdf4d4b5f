"""Every page is drawn with nothing else running, and says what is missing."""

import pytest
from streamlit.testing.v1 import AppTest

from control_panel.pages import all_pages


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
    app = AppTest.from_function(_draw, kwargs={"path": path}, default_timeout=30).run()

    title = next(page.info.title for page in all_pages() if page.info.path == path)
    assert [one.message for one in app.exception] == []
    assert [one.value for one in app.title] == [title]
    told = " ".join(one.value for one in [*app.warning, *app.error])
    assert "does not answer" in told


@pytest.mark.usefixtures("nothing_runs")
def test_the_whole_panel_is_drawn_from_its_script() -> None:
    from control_panel.server import SCRIPT  # noqa: PLC0415

    app = AppTest.from_file(str(SCRIPT), default_timeout=30).run()

    assert [one.message for one in app.exception] == []
    assert [one.value for one in app.title] == ["Overview"]
    assert any("attention" in one.value for one in app.error)
