"""Uploads over the panel's own routes: in pieces, bounded, for operators alone."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from clickstream.settings import get_settings
from control_panel import uploads
from tests.unit.control_panel.conftest import ORIGIN, sign_in

CONTENT = b"type,created_at,session_id,user_id,url,payload\n"
HEADERS = {"origin": ORIGIN}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("CLICKSTREAM_STACK__DATA_DIR", str(tmp_path))
    monkeypatch.setenv("CLICKSTREAM_PANEL__MAX_UPLOAD_BYTES", "1000000")
    get_settings.cache_clear()
    yield tmp_path / "uploads"
    get_settings.cache_clear()


@pytest.fixture
def operator(client: TestClient, folder: Path) -> TestClient:
    sign_in(client, "operator", "operator-password")
    return client


def begin(client: TestClient, size: int = 2 * len(CONTENT), name: str = "Bad name?.CSV") -> str:
    answer = client.post("/files/uploads", json={"name": name, "size": size}, headers=HEADERS)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def test_a_file_that_broke_off_goes_on_where_it_stopped(operator: TestClient, folder: Path) -> None:
    address = f"/files/uploads/{begin(operator)}"

    first = operator.put(f"{address}?offset=0", content=CONTENT, headers=HEADERS)
    repeated = operator.put(f"{address}?offset=0", content=CONTENT, headers=HEADERS)
    known = operator.get(address)

    assert (first.status_code, first.json()["received"]) == (200, len(CONTENT))
    assert (repeated.status_code, repeated.json()["received"]) == (409, len(CONTENT))
    assert known.json()["received"] == len(CONTENT)
    [upload] = uploads.list_uploads()
    assert upload.path.read_bytes() == CONTENT
    assert upload.path.name == "bad-name-.csv"
    assert upload.path.stat().st_mode & 0o777 == 0o600


def test_a_disk_that_lags_behind_keeps_nobody_else_waiting(folder: Path) -> None:
    upload = uploads.begin_upload("slow.csv", 500_000, "operator")
    upload.path.unlink()
    os.mkfifo(upload.path)  # Takes 64 KiB, and no more until somebody reads.

    async def sent() -> AsyncIterator[bytes]:
        for _ in range(10):
            yield b"x" * 50_000

    async def read_late() -> bytes:
        receiving = asyncio.create_task(uploads.receive(upload, 0, sent()))
        await asyncio.sleep(0.05)
        assert not receiving.done()
        written = await asyncio.to_thread(upload.path.read_bytes)
        await receiving
        return written

    assert len(asyncio.run(asyncio.wait_for(read_late(), timeout=10))) == 500_000


@pytest.mark.parametrize("size", [0, -1, 1_000_001])
def test_a_file_of_no_possible_size_is_refused_with_the_limit(operator: TestClient, size: int) -> None:
    answer = operator.post("/files/uploads", json={"name": "a.csv", "size": size}, headers=HEADERS)

    assert answer.status_code == 413
    assert "1 to 1,000,000" in answer.json()["error"]


def test_more_than_was_announced_is_refused(operator: TestClient) -> None:
    address = f"/files/uploads/{begin(operator, size=10)}"

    answer = operator.put(f"{address}?offset=0", content=CONTENT, headers=HEADERS)

    assert answer.status_code == 413
    assert "announced" in answer.json()["error"]


def test_a_cancelled_upload_leaves_nothing(operator: TestClient, folder: Path) -> None:
    address = f"/files/uploads/{begin(operator)}"
    operator.put(f"{address}?offset=0", content=CONTENT, headers=HEADERS)

    assert operator.delete(address, headers=HEADERS).status_code == 204
    assert operator.get(address).status_code == 404
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("name", ["../../etc/passwd", "a/../../b.csv", "..", "x\x00.csv", "C:\\temp\\c.csv"])
def test_no_name_leads_out_of_the_folder(operator: TestClient, folder: Path, name: str) -> None:
    upload = uploads.get_upload(begin(operator, name=name))

    assert upload.path.resolve().is_relative_to(folder.resolve())
    assert upload.path.parent.parent == folder


@pytest.mark.parametrize("upload_id", ["..", "0123456789abcdef", "x" * 16])
def test_an_unknown_upload_is_not_found(operator: TestClient, upload_id: str) -> None:
    assert operator.get(f"/files/uploads/{upload_id}").status_code in {404, 405}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/files/uploads"),
        ("PUT", "/files/uploads/0123456789abcdef?offset=0"),
        ("DELETE", "/files/uploads/0123456789abcdef"),
        ("GET", "/files/upload/upload.html"),
        ("GET", f"/files/loads/{'0' * 64}/report.csv"),
    ],
)
def test_a_viewer_sends_and_reads_no_files(client: TestClient, folder: Path, method: str, path: str) -> None:
    sign_in(client, "viewer", "viewer-password")

    answer = client.request(method, path, headers=HEADERS)

    assert answer.status_code == 403
    assert "operator" in answer.json()["error"]


def test_a_page_of_another_site_sends_no_files(operator: TestClient) -> None:
    foreign = {"origin": "http://evil.example"}

    assert operator.post("/files/uploads", json={}, headers=foreign).status_code == 403


def test_only_the_panels_own_page_may_frame_the_upload(operator: TestClient) -> None:
    answer = operator.get("/files/upload/upload.html")

    assert answer.headers["x-frame-options"] == "SAMEORIGIN"
    assert "frame-ancestors 'self'" in answer.headers["content-security-policy"]
    assert operator.get("/files/seen").headers["x-frame-options"] == "DENY"


def test_the_load_of_a_file_is_remembered_with_the_file(operator: TestClient, folder: Path) -> None:
    upload = uploads.get_upload(begin(operator))
    assert uploads.load_of(upload) is None

    uploads.note_load(upload, 12, "operator")
    uploads.note_load(upload, 13, "operator")

    known = uploads.load_of(upload)
    assert known is not None
    assert (known.run_id, known.asked_by) == (13, "operator")


@pytest.mark.parametrize(
    "offset", ["", "-1", "1e3", "x", "\u0663", "9" * 5_000], ids=["absent", "-1", "1e3", "x", "٣", "long"]
)
def test_a_wrong_offset_is_refused_with_what_is_expected(operator: TestClient, offset: str) -> None:
    answer = operator.put(f"/files/uploads/{begin(operator)}", params={"offset": offset}, headers=HEADERS)

    assert answer.status_code == 400
    assert "?offset= with a whole number" in answer.json()["error"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'{"name": "a.csv"}',
        b'{"name": "a.csv", "size": 1e999}',
        b'{"name": "a.csv", "size": "10"}',
        b'{"name": "\xff", "size": 10}',
        b"[" * 9_000,
        b" " * 20_000,
    ],
    ids=["empty", "list", "no size", "endless", "text", "not UTF-8", "deep", "long"],
)
def test_an_announcement_that_cannot_be_read_is_refused(operator: TestClient, body: bytes) -> None:
    answer = operator.post("/files/uploads", content=body, headers=HEADERS)

    assert answer.status_code == 400
    assert answer.json()["error"].startswith("Send a JSON object with the name and the size of the file")
