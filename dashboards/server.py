"""Superset as a service: set up what is missing or outdated, import the assets, then serve."""

import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from clickstream import logs
from clickstream.settings import Settings, get_settings
from dashboards.bundle import compile_bundle
from dashboards.files import ASSETS, AssetError, read_assets, write_assets
from dashboards.live import web_server
from dashboards.live.application import application, migrate_metadata, superset_environment, superset_home
from dashboards.state import State

_log: Final = logging.getLogger(__name__)


def serve() -> None:
    """Prepare, then serve until the process is asked to stop."""
    settings = get_settings()
    if needs_preparation(settings):
        # In a process of its own, whose memory is free again afterwards.
        finished = subprocess.run([sys.executable, "-m", "dashboards", "import", "--as-service"], check=False)
        if finished.returncode != 0:
            sys.exit(f"Superset could not be prepared (exit code {finished.returncode}).")
    os.environ.update(superset_environment(settings))
    web_server.run(settings)


def needs_preparation(settings: Settings) -> bool:
    """Whether anything has changed since the last preparation that ended well."""
    state = State(superset_home(settings))
    try:
        return not (state.is_set_up(settings) and state.has(read_assets(), settings))
    except AssetError:
        return True


def prepare(settings: Settings, folder: Path = ASSETS) -> None:
    """Set Superset up and import the assets of the folder, unless that was done before.

    Raises:
        AssetError: A file can't be used; names it and what is wrong.
    """
    state = State(superset_home(settings))
    # Before the seconds that Superset takes.
    assets = read_assets(folder)
    compile_bundle(assets, settings.clickhouse)
    if state.is_set_up(settings) and state.has(assets, settings):
        say("nothing has changed since the last import")
        return
    with application(settings):
        # Superset's modules can be imported once there is an application.
        from dashboards.live.access import make_roles, make_users  # noqa: PLC0415
        from dashboards.live.importing import import_assets  # noqa: PLC0415
        from dashboards.live.secret_key import forget_unreadable_secrets  # noqa: PLC0415

        if not state.is_set_up(settings):
            say("bringing the metadata database up to date")
            migrate_metadata(settings)
            forget_unreadable_secrets()
            say("making roles and users")
            make_roles()
            make_users(settings.superset)
            state.set_up(settings)
        if not state.has(assets, settings):
            say("importing the assets")
            import_assets(assets, settings, state)
    say("prepared")


def export(settings: Settings, folder: Path = ASSETS, *, force: bool = False) -> None:
    """Write what Superset has back to the files of the folder.

    Raises:
        AssetError: Files were edited since the last import, and `force` is not given; nothing was changed.
    """
    state = State(superset_home(settings))
    before = read_assets(folder)
    if not state.has_files(before) and not force:
        raise AssetError(
            "Asset files were edited and not imported; an export would undo that.",
            hint="Import them first (`make dashboards-import`; it undoes edits of the same assets in the "
            "browser), or export nevertheless with FORCE=1 and compare by git diff.",
        )
    with application(settings):
        from dashboards.live.exporting import export_assets  # noqa: PLC0415

        assets, remarks = export_assets(before, state, settings.superset)
    changed = write_assets(assets, folder)
    state.imported(assets, settings)
    for line in [*remarks, *(f"changed: {folder.name}/{name}" for name in changed)]:
        say(line)
    say("exported" if changed else "exported; nothing has changed")


def tell(*, as_service: bool) -> None:
    """Have `say` write to standard output: lines of the service's log, or lines for people."""
    handler = logging.StreamHandler(sys.stdout)
    for_people = logging.Formatter("%(asctime)s %(message)s", "%Y-%m-%d %H:%M:%S")
    handler.setFormatter(logs.JsonFormatter("superset") if as_service else for_people)
    if as_service:
        logs.capture_output("superset")
    _log.addHandler(handler)
    _log.setLevel(logging.INFO)
    # Superset changes how all else is logged when it starts.
    _log.propagate = False


def say(message: str) -> None:
    """Tell what is being done."""
    _log.info("%s", message)
