"""Superset's application in this process: where it keeps things, and its metadata database."""

import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from clickstream.settings import PROJECT_ROOT, Settings, require_secrets

if TYPE_CHECKING:
    from flask import Flask

CONFIG_FILE: Final = PROJECT_ROOT / "superset" / "superset_config.py"


def superset_home(settings: Settings) -> Path:
    """Where Superset keeps its data."""
    return settings.stack.data_path / "superset"


def superset_environment(settings: Settings) -> Mapping[str, str]:
    """The environment variables that its configuration reads.

    Raises:
        ClickstreamError: A secret of Superset is not set.
    """
    require_secrets(settings, "superset")
    return {
        "SUPERSET_CONFIG_PATH": str(CONFIG_FILE),
        "SUPERSET_HOME": str(superset_home(settings)),
        "SUPERSET_SECRET_KEY": settings.superset.secret_key.get_secret_value(),
        "SUPERSET_ALLOWED_HOSTS": f"{settings.superset.allowed_hosts},{settings.stack.host}",
        "TZ": "UTC",
    }


@contextmanager
def application(settings: Settings) -> Iterator["Flask"]:
    """Superset's application, with its context entered."""
    home = superset_home(settings)
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.environ.update(superset_environment(settings))
    from superset.app import create_app  # noqa: PLC0415 -- reads the environment when it is imported

    app: Flask = create_app()
    with app.app_context():
        yield app


def migrate_metadata(settings: Settings) -> None:
    """Bring the metadata database up to date; readers and writers don't wait for each other in it."""
    from flask_migrate import upgrade  # noqa: PLC0415

    file = superset_home(settings) / "superset.db"
    with sqlite3.connect(file) as connection:
        connection.execute("pragma journal_mode = wal")
    connection.close()
    file.chmod(0o600)
    upgrade()
