"""Write keys, which allow their holders to send events to the API. Only their hashes are kept.

A key has 256 random bits, so a plain hash keeps it secret; a slow one would only slow requests down.
"""

import fcntl
import hashlib
import hmac
import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from clickstream.errors import BadInputError, ClickstreamError
from clickstream.settings import Settings

PREFIX: Final = "wk_"
_ID_BYTES: Final = 4
_SECRET_BYTES: Final = 32


class WriteKey(msgspec.Struct, frozen=True):
    """One key as it is kept.

    Attributes:
        id: Tells it apart in lists, logs and metrics; no secret.
        name: What it is for, in its owner's words.
        hash: SHA-256 of the key.
        created_at: When it was made.
        revoked_at: When it was revoked; None if it is valid.
    """

    id: str
    name: str
    hash: str
    created_at: datetime
    revoked_at: datetime | None = None


def keys_file(settings: Settings) -> Path:
    """Where the keys of this stack are kept."""
    return settings.stack.data_path / "api" / "write_keys.json"


def read_keys(path: Path) -> Sequence[WriteKey]:
    """All keys, in the order in which they were made; none if there is no file.

    Raises:
        ClickstreamError: The file can't be read.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=list[WriteKey])
    except FileNotFoundError:
        return []
    except (OSError, msgspec.DecodeError) as error:
        raise ClickstreamError(
            f"The write keys in {path} can't be read: {error}.",
            hint="Repair the file, or delete it and make new keys.",
        ) from error


def create_key(path: Path, name: str, now: datetime) -> tuple[WriteKey, str]:
    """Makes a key.

    Returns:
        The key as it is kept, and the key itself, which is not seen again.
    """
    secret = PREFIX + secrets.token_urlsafe(_SECRET_BYTES)
    with _changing(path) as keys:
        key = WriteKey(secrets.token_hex(_ID_BYTES), name, _hash(secret), now)
        _write(path, [*keys, key])
    return key, secret


def revoke_key(path: Path, key_id: str, now: datetime) -> WriteKey:
    """Revokes a key; one that is revoked stays as it is.

    Raises:
        BadInputError: There is no such key.
    """
    with _changing(path) as keys:
        for place, key in enumerate(keys):
            if key.id == key_id:
                revoked = key if key.revoked_at else msgspec.structs.replace(key, revoked_at=now)
                _write(path, [*keys[:place], revoked, *keys[place + 1 :]])
                return revoked
    raise BadInputError(f"There is no key {key_id!r}.", hint="`clickstream key list` shows them.")


def find_key(keys: Sequence[WriteKey], secret: str) -> WriteKey | None:
    """The key that was presented, if it is taken; how long the search takes tells nothing about the keys."""
    presented = _hash(secret)
    found: WriteKey | None = None
    for key in keys:
        if hmac.compare_digest(presented, key.hash) and key.revoked_at is None:
            found = key
    return found


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode(errors="surrogateescape")).hexdigest()


@contextmanager
def _changing(path: Path) -> Iterator[Sequence[WriteKey]]:
    """Keeps two commands from writing over each other."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield read_keys(path)
    finally:
        os.close(descriptor)


def _write(path: Path, keys: Sequence[WriteKey]) -> None:
    """Puts the file in place in one step, readable by its owner alone."""
    draft = path.with_suffix(".tmp")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(keys), indent=2) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
