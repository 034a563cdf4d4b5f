"""The HTML that a browser gets before a page is drawn."""

import base64
import hashlib
import re
from pathlib import Path

import pytest
import streamlit
from starlette.testclient import TestClient

from control_panel import shell
from control_panel.pages import all_pages
from tests.unit.control_panel.conftest import sign_in

ADDRESSES = ["/", *(f"/{page.info.path}" for page in all_pages() if not page.info.is_start)]


@pytest.mark.parametrize("address", ADDRESSES)
def test_each_page_is_named_and_outlined_before_it_is_drawn(client: TestClient, address: str) -> None:
    sign_in(client, "viewer", "viewer-password")
    answer = client.get(address, headers={"accept": "text/html"})

    assert answer.status_code == 200
    assert "<title>Clickstream</title>" in answer.text
    assert '<p role="status">Loading' in answer.text


def test_the_browser_may_run_each_script_within_the_page(client: TestClient) -> None:
    sign_in(client, "viewer", "viewer-password")
    answer = client.get("/")

    scripts = re.findall(r"<script>(.*?)</script>", answer.text, re.DOTALL)
    digests = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    assert any("BACKEND_BASE_URL" in script for script in scripts)
    assert [
        one for one in digests if f"'sha256-{one}'" not in answer.headers["content-security-policy"]
    ] == []


def test_what_is_loaded_ahead_is_there() -> None:
    ahead = re.findall(r'<link rel="modulepreload" crossorigin href="\./([^"]+)"', shell.html())
    static = Path(streamlit.__file__).parent / "static"

    assert any("EChartsChart" in name for name in ahead)
    assert [name for name in ahead if not (static / name).is_file()] == []


def test_another_page_of_streamlit_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "index.html").write_text("<title>Something else</title>")
    monkeypatch.setattr(shell, "_FOLDER", tmp_path)
    monkeypatch.setattr(shell, "_links", lambda: "")
    shell.html.cache_clear()
    with pytest.raises(shell.UnknownPageError, match=r"Adapt control_panel/shell\.py"):
        shell.html()
    shell.html.cache_clear()
