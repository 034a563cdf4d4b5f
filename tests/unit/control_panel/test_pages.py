"""Every page is drawn with nothing else running, and says what is missing."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from clickstream.settings import get_settings
from control_panel.pages import all_pages
from control_panel.server import accounts
from stack.env_file import ensure_env_file, setting_entries
from stack.processes import free_ports

PORTS = [entry.variable for entry in setting_entries() if entry.variable.endswith("PORT")]


@pytest.fixture(autouse=True)
def nothing_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Settings of a stack that is not there."""
    for entry in setting_entries():
        monkeypatch.delenv(entry.variable, raising=False)
    monkeypatch.setenv("CLICKSTREAM_ENV_FILE", str(tmp_path / ".env"))
    ensure_env_file(tmp_path / ".env")
    monkeypatch.setenv("CLICKSTREAM_STACK__DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("CLICKSTREAM_PANEL__SIGN_IN", "false")
    for name, port in zip(PORTS, free_ports("127.0.0.1", len(PORTS)), strict=True):
        monkeypatch.setenv(name, str(port))
    _forget()
    yield
    _forget()


def _forget() -> None:
    get_settings.cache_clear()
    accounts.cache_clear()


def _draw(path: str) -> None:
    from control_panel.pages import all_pages  # noqa: PLC0415 -- the function is run as a script of its own

    next(page for page in all_pages() if page.info.path == path).render()


def test_pages_have_places_of_their_own() -> None:
    places = [(page.info.section, page.info.order) for page in all_pages()]
    paths = [page.info.path for page in all_pages()]

    assert len(set(places)) == len(places)
    assert len(set(paths)) == len(paths)
    assert [page.info.title for page in all_pages() if page.info.is_start] == ["Overview"]


@pytest.mark.parametrize("path", [page.info.path for page in all_pages()])
def test_a_page_is_drawn_with_every_service_away(path: str) -> None:
    app = AppTest.from_function(_draw, kwargs={"path": path}, default_timeout=30).run()

    title = next(page.info.title for page in all_pages() if page.info.path == path)
    assert [one.message for one in app.exception] == []
    assert [one.value for one in app.title] == [title]
    told = " ".join(one.value for one in [*app.warning, *app.error])
    assert "does not answer" in told


def test_the_whole_panel_is_drawn_from_its_script() -> None:
    from control_panel.server import SCRIPT  # noqa: PLC0415

    app = AppTest.from_file(str(SCRIPT), default_timeout=30).run()

    assert [one.message for one in app.exception] == []
    assert [one.value for one in app.title] == ["Overview"]
    assert any("attention" in one.value for one in app.error)
