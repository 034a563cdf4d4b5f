"""The list of erased people: keyed hashes of their user ids, by which they are recognised later.

A hash says nothing without the secret. The list is kept in the database and, since a database may be restored
from a backup that is older than an erasure, in a file of the data directory as well; reading it merges both.
"""

import hashlib
import hmac
import os
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

from clickhouse_connect.driver.client import Client

from clickstream.errors import ClickstreamError
from clickstream.etl.run_lock import held_lock
from clickstream.settings import Settings, required_secret

_LOCK: Final = "erased_people"
_COLUMNS: Final = ("user_hash", "key_id", "erased_at")
_KEY_ID_DIGITS: Final = 12


class ErasedPerson(NamedTuple):
    """One entry of the list: the columns of `erased_users`, described there."""

    user_hash: str
    key_id: str
    erased_at: datetime


class ErasedPeople:
    """The people who are erased; it can only be asked whether a given one is among them."""

    def __init__(self, secret: str, hashes: Iterable[str]) -> None:
        self._key = secret.encode()
        self._hashes = frozenset(hashes)

    def __bool__(self) -> bool:
        """Whether anybody is."""
        return bool(self._hashes)

    def __contains__(self, user_id: int) -> bool:
        """Whether the person with this user id is."""
        return hash_user(self._key, user_id) in self._hashes


def hash_user(key: bytes, user_id: int) -> str:
    """The keyed hash of a user id: HMAC-SHA256 of its decimal digits, in hex."""
    return hmac.digest(key, b"user %d" % user_id, "sha256").hex()


def read_erased_people(client: Client, settings: Settings) -> ErasedPeople:
    """The list as it is now; entries that the database has lost are written to it again.

    Args:
        client: A connection that may write.
        settings: Where the file is, and the secret.

    Raises:
        ClickstreamError: There is no secret, or the list was made with another one, so nobody on it could be
            recognised.
    """
    secret = required_secret(settings.privacy.hash_secret, "privacy", "hash_secret")
    rows = client.query("select user_hash, key_id, erased_at from erased_users final", tz_mode="aware")
    in_database = {ErasedPerson(*row).user_hash: ErasedPerson(*row) for row in rows.result_rows}
    in_file = {person.user_hash: person for person in _read_file(_file(settings))}
    lost = [person for user_hash, person in in_file.items() if user_hash not in in_database]
    if lost:
        client.insert("erased_users", [list(person) for person in lost], column_names=_COLUMNS)
    people = {**in_database, **in_file}
    _refuse_other_keys(people.values(), _key_id(secret))
    return ErasedPeople(secret, people)


def add_erased_person(client: Client, settings: Settings, user_id: int, now: datetime) -> str:
    """Puts a person on the list, first into the file; nothing changes if they are on it.

    Returns:
        Their hash.
    """
    secret = required_secret(settings.privacy.hash_secret, "privacy", "hash_secret")
    person = ErasedPerson(hash_user(secret.encode(), user_id), _key_id(secret), now)
    path = _file(settings)
    with held_lock(client, settings.etl_locks, _LOCK):
        if all(known.user_hash != person.user_hash for known in _read_file(path)):
            _append(path, person)
    known = client.query(
        "select count() from erased_users where user_hash = {user_hash:String}",
        parameters={"user_hash": person.user_hash},
    ).result_rows
    if not known[0][0]:
        client.insert("erased_users", [list(person)], column_names=_COLUMNS)
    return person.user_hash


def _refuse_other_keys(people: Iterable[ErasedPerson], key_id: str) -> None:
    if any(person.key_id != key_id for person in people):
        raise ClickstreamError(
            "CLICKSTREAM_PRIVACY__HASH_SECRET is not the secret with which people were erased before, so "
            "they would not be recognised.",
            hint="Restore its former value in the settings file; a backup of `.env` has it.",
        )


def _key_id(secret: str) -> str:
    return hashlib.sha256(b"clickstream erased people " + secret.encode()).hexdigest()[:_KEY_ID_DIGITS]


def _file(settings: Settings) -> Path:
    return settings.stack.data_path / "etl" / "erased_people.txt"


def _read_file(path: Path) -> list[ErasedPerson]:
    """The entries of the file; a line that a killed process left unfinished is skipped."""
    if not path.exists():
        return []
    cells = [line.split() for line in path.read_text(encoding="ascii").splitlines()]
    return [ErasedPerson(row[0], row[1], _moment(row[2])) for row in cells if len(row) == len(_COLUMNS)]


def _moment(milliseconds: str) -> datetime:
    return datetime.fromtimestamp(int(milliseconds) / 1_000, UTC)


def _append(path: Path, person: ErasedPerson) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    line = f"\n{person.user_hash} {person.key_id} {int(person.erased_at.timestamp() * 1_000)}\n"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(descriptor, line.encode("ascii"))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
