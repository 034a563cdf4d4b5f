"""What the gateway is told at its start, without a secret: settings, with digests in place of passwords."""

import hashlib
import os
import secrets
from pathlib import Path
from typing import Final

import msgspec

from clickstream.settings import Settings
from stack.gateway.accounts import Account

_SALT_BYTES: Final = 16


class KnownUser(msgspec.Struct, frozen=True):
    """A user, and what its password hashes to."""

    name: str
    digest: bytes
    account: Account


class Configuration(msgspec.Struct, frozen=True):
    """The settings of a gateway.

    Attributes:
        host: Address to listen on.
        port: Port to listen on.
        directory: The engine's data directory.
        database: The database whose views the dashboards' account may read.
        max_memory_bytes: What all statements together may take.
        max_connections: Statements that run at once.
        salt: Goes into each digest; new at each start.
        users: Who may sign in.
    """

    host: str
    port: int
    directory: str
    database: str
    max_memory_bytes: int
    max_connections: int
    salt: bytes
    users: tuple[KnownUser, ...]

    @classmethod
    def of(cls, settings: Settings) -> "Configuration":
        """What the settings say, with the passwords hashed."""
        clickhouse = settings.clickhouse
        salt = secrets.token_bytes(_SALT_BYTES)
        passwords = (
            (clickhouse.writer_user, clickhouse.writer_password, Account.WRITER),
            (clickhouse.reader_user, clickhouse.reader_password, Account.READER),
            (clickhouse.dashboards_user, clickhouse.dashboards_password, Account.DASHBOARDS),
        )
        return cls(
            host=settings.stack.host,
            port=clickhouse.port,
            directory=str(settings.stack.data_path / "clickhouse"),
            database=clickhouse.database,
            max_memory_bytes=clickhouse.max_memory_bytes,
            max_connections=clickhouse.max_connections,
            salt=salt,
            users=tuple(
                KnownUser(name, password_digest(salt, password.get_secret_value()), account)
                for name, password, account in passwords
                if password.get_secret_value()
            ),
        )

    def hand_over(self) -> int:
        """Put it into memory that a program started in place of this one can read; the file's descriptor."""
        descriptor = os.memfd_create("gateway", 0)
        os.write(descriptor, msgspec.json.encode(self))
        os.lseek(descriptor, 0, os.SEEK_SET)
        return descriptor

    @classmethod
    def taken_over(cls, descriptor: int) -> "Configuration":
        """Read what `hand_over` has put there."""
        with os.fdopen(descriptor, "rb") as file:
            return msgspec.json.decode(file.read(), type=cls)


def password_digest(salt: bytes, password: str) -> bytes:
    """The keyed hash of a password.

    A fast hash will do: the passwords are random (192 bits), so nobody finds them by trying, and each request
    is checked against all of them.
    """
    return hashlib.blake2b(password.encode(), key=salt, digest_size=32).digest()


def temporary_directory(directory: Path) -> Path:
    """Where the gateway keeps long answers while it sends them."""
    return directory / "gateway_tmp"
