"""What Mage keeps in its database before it serves: the tables, the owner's account and the schedules.

`python -m stack.mage.set_up`, in Mage's environment, makes them and ends. With Docker Compose a container
does that before the server's container starts, after it has brought the pipelines of its release into the
volume from which Mage runs them (`stack.mage.project`). The server and its scheduler call the same functions
of Mage when they start, and then find nothing left to do.
"""

import hashlib
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from clickstream.settings import Settings, get_settings
from stack.mage.project import RELEASED_PROJECT, install_release
from stack.paths import StackPaths
from stack.services import MAGE_PROJECT


def set_up_mage(settings: Settings) -> None:
    """Make what is missing; returns at once if the same version made it from the same files."""
    home = StackPaths(settings.stack.data_path).home_of("mage")
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    mark = home / "set_up"
    digest = _digest(settings)
    if (home / "mage-ai.db").exists() and mark.exists() and mark.read_text(encoding="utf-8") == digest:
        return
    _fill_database()
    mark.write_text(digest, encoding="utf-8")


def _digest(settings: Settings) -> str:
    """Changes with whatever decides what the database has to hold."""
    parts = [version("mage-ai"), settings.mage.owner_email, *(path.read_text() for path in _schedules())]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _schedules() -> list[Path]:
    return sorted(MAGE_PROJECT.glob("pipelines/*/triggers.yaml"))


def _fill_database() -> None:
    # Importing these takes seconds, which a start with nothing to do is spared.
    from mage_ai.data_preparation.repo_manager import ProjectType  # noqa: PLC0415
    from mage_ai.orchestration.db import db_connection  # noqa: PLC0415
    from mage_ai.orchestration.db.database_manager import database_manager  # noqa: PLC0415
    from mage_ai.orchestration.pipeline_scheduler import sync_schedules  # noqa: PLC0415
    from mage_ai.server.server import initialize_user_authentication  # noqa: PLC0415
    from mage_ai.settings.repo import set_repo_path  # noqa: PLC0415

    from mage_project.repairs import make_owner_at_once  # noqa: PLC0415

    set_repo_path(str(MAGE_PROJECT))
    database_manager.run_migrations()
    db_connection.start_session(force=True)
    make_owner_at_once()
    # It keeps an owner that is there.
    initialize_user_authentication(ProjectType.STANDALONE)
    sync_schedules([path.parent.name for path in _schedules()])


def install_pipelines() -> None:
    """Bring the pipelines of this image's release into the volume; without Docker there is nothing to do."""
    if RELEASED_PROJECT.is_dir():
        sys.stdout.write(install_release(RELEASED_PROJECT, MAGE_PROJECT, datetime.now(UTC)).describe())


if __name__ == "__main__":
    install_pipelines()
    set_up_mage(get_settings())
