"""Files that people upload. Each has its own folder and arrives in pieces, so that it can be continued.

A file goes to disk as it arrives, so the panel's memory does not grow with it. What has arrived is the size
of the file on disk; nothing else has to be remembered to go on after a broken connection.
"""

import re
import secrets
import shutil
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import anyio
import msgspec
from starlette.concurrency import run_in_threadpool

from clickstream.errors import BadInputError, ClickstreamError
from clickstream.files import whole_file
from clickstream.settings import get_settings

_ID: Final = re.compile(r"[0-9a-f]{16}")
_DESCRIPTION: Final = "upload.json"
_LOAD: Final = "load.json"
_MAX_NAME_CHARACTERS: Final = 120
_WRITTEN_AT_ONCE: Final = 1_048_576
_SPARE_BYTES: Final = 1_000_000_000
"""Free space that an upload leaves on the disk."""


class WrongOffsetError(ClickstreamError):
    """A piece does not begin where the file on disk ends."""


class Description(msgspec.Struct, frozen=True):
    """What is known of a file before it arrives.

    Attributes:
        name: Its name, as the browser says it.
        size_bytes: Its size.
        begun_at: When its upload began.
        begun_by: The account.
    """

    name: str
    size_bytes: int
    begun_at: datetime
    begun_by: str


class LoadRequest(msgspec.Struct, frozen=True):
    """The last load of a file that was asked for.

    Attributes:
        run_id: The run of the pipeline.
        asked_at: When it was asked for.
        asked_by: The account.
    """

    run_id: int
    asked_at: datetime
    asked_by: str


class Upload(msgspec.Struct, frozen=True):
    """A file with as much of it as has arrived."""

    id: str
    path: Path
    description: Description
    received_bytes: int

    @property
    def is_complete(self) -> bool:
        """Whether all of it has arrived."""
        return self.received_bytes >= self.description.size_bytes


def uploads_path() -> Path:
    """Where the uploads are."""
    return get_settings().stack.data_path / "uploads"


def begin_upload(name: str, size_bytes: int, account: str) -> Upload:
    """Make room for a file.

    Raises:
        BadInputError: It is empty or larger than files may be.
        ClickstreamError: The disk has too little space for it.
    """
    limit = get_settings().panel.max_upload_bytes
    if not 0 < size_bytes <= limit:
        raise BadInputError(
            f"{name[:_MAX_NAME_CHARACTERS]!r} has {size_bytes:,} bytes; a file may have 1 to {limit:,}.",
            hint="Compress it with gzip or zstd, split it, or load it with `clickstream load`.",
        )
    root = uploads_path()
    root.mkdir(parents=True, exist_ok=True, mode=0o700)
    free = shutil.disk_usage(root).free
    if free < size_bytes + _SPARE_BYTES:
        raise ClickstreamError(
            f"The disk has {free / 1e9:.1f} GB free. The file needs {size_bytes / 1e9:.1f} GB, and "
            f"{_SPARE_BYTES / 1e9:.0f} GB must stay free.",
            hint="Delete uploads that are loaded, or free some space.",
        )
    folder = root / secrets.token_hex(8)
    folder.mkdir(mode=0o700)
    description = Description(_safe_name(name), size_bytes, datetime.now(UTC), account)
    (folder / _DESCRIPTION).write_bytes(msgspec.json.encode(description))
    (folder / description.name).touch(mode=0o600)
    return get_upload(folder.name)


def get_upload(upload_id: str) -> Upload:
    """The upload of an id.

    Raises:
        BadInputError: No upload has this id.
    """
    folder = uploads_path() / upload_id
    if not _ID.fullmatch(upload_id) or not (folder / _DESCRIPTION).is_file():
        raise BadInputError(f"There is no upload {upload_id[:40]!r}.", hint="It may have been removed.")
    description = msgspec.json.decode((folder / _DESCRIPTION).read_bytes(), type=Description)
    path = folder / description.name
    return Upload(upload_id, path, description, path.stat().st_size if path.is_file() else 0)


def list_uploads() -> list[Upload]:
    """All uploads, the latest first."""
    root = uploads_path()
    folders = [folder.name for folder in root.iterdir()] if root.is_dir() else []
    found = [get_upload(name) for name in folders if (root / name / _DESCRIPTION).is_file()]
    return sorted(found, key=lambda upload: upload.description.begun_at, reverse=True)


async def receive(upload: Upload, offset: int, pieces: AsyncIterator[bytes]) -> Upload:
    """Append what a browser sends; what has arrived stays if the connection breaks.

    Args:
        upload: The upload.
        offset: Where in the file the pieces begin.
        pieces: The bytes.

    Raises:
        WrongOffsetError: The file on disk does not end there.
        BadInputError: More arrives than the file was said to have.
    """
    if offset != upload.received_bytes:
        raise WrongOffsetError(f"{upload.received_bytes} bytes have arrived; go on from there.")
    left = upload.description.size_bytes - offset
    waiting = bytearray()
    # Written in threads: a disk that lags behind must not keep every open page waiting.
    async with await anyio.open_file(upload.path, "ab") as file:
        try:
            async for piece in pieces:
                left -= len(piece)
                if left < 0:
                    raise BadInputError(
                        f"{upload.description.name!r} is larger than the "
                        f"{upload.description.size_bytes:,} bytes that were announced.",
                        hint="It may have changed during the upload; send it again.",
                    )
                waiting += piece
                if len(waiting) >= _WRITTEN_AT_ONCE:
                    await file.write(waiting)
                    waiting = bytearray()
        finally:
            await file.write(waiting)
    return await run_in_threadpool(get_upload, upload.id)


def note_load(upload: Upload, run_id: int, account: str) -> None:
    """Remember the run that loads a file, so that every page can follow it, also after a restart."""
    request = LoadRequest(run_id, datetime.now(UTC), account)
    with whole_file(upload.path.parent / _LOAD) as file:
        file.write(msgspec.json.encode(request).decode())


def load_of(upload: Upload) -> LoadRequest | None:
    """The last load of a file; None if none was asked for."""
    try:
        return msgspec.json.decode((upload.path.parent / _LOAD).read_bytes(), type=LoadRequest)
    except FileNotFoundError:
        return None


def remove_upload(upload_id: str) -> None:
    """Delete an upload, whether it is complete or not; what was loaded from it stays loaded."""
    shutil.rmtree(get_upload(upload_id).path.parent)


def _safe_name(name: str) -> str:
    """A file name of harmless characters that keeps its suffixes, by which erasure finds files of people."""
    base = re.sub(r"[^\w.-]+", "-", Path(name.replace("\\", "/")).name, flags=re.ASCII).strip(".-")
    base = base[-_MAX_NAME_CHARACTERS:] or "upload"
    is_known = re.search(r"\.(csv|tsv)(\.(gz|zst))?$", base, re.IGNORECASE)
    return base.lower() if is_known else f"{base}.csv"
