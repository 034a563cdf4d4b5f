"""What was done already: small files beside Superset's metadata, so that a later start is quick."""

import hashlib
import hmac
import json
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final

from clickstream.settings import PROJECT_ROOT, Settings
from dashboards.databases import dashboards_uri
from dashboards.files import Assets, digest_of
from dashboards.warehouse import WAREHOUSE

_CODE: Final = PROJECT_ROOT / "dashboards"


@dataclass(frozen=True)
class State:
    """What Superset was set up with, and which assets it was given.

    Attributes:
        folder: Where the files lie.
    """

    folder: Path

    @property
    def slugs(self) -> dict[str, list[str]]:
        """The assets that were imported from files, by kind."""
        slugs: dict[str, list[str]] = json.loads(self._read("imported.json") or "{}")
        return slugs

    def is_set_up(self, settings: Settings) -> bool:
        """Whether database, roles and users are as this version and these settings want them."""
        return self._read("set_up") == _set_up_digest(settings)

    def set_up(self, settings: Settings) -> None:
        """Note that they are."""
        self._write("set_up", _set_up_digest(settings))

    def has(self, assets: Assets, settings: Settings) -> bool:
        """Whether exactly these assets were imported completely, with these settings."""
        return self._read("assets") == _import_digest(assets, settings)

    def has_files(self, assets: Assets) -> bool:
        """Whether the files are those of the last import or export."""
        return self._read("files") == digest_of(assets)

    def forget_digest(self) -> None:
        """Note that an import has begun."""
        (self.folder / "assets").unlink(missing_ok=True)

    def imported(self, assets: Assets, settings: Settings) -> None:
        """Note that Superset and the files are the same now."""
        self._write("files", digest_of(assets))
        self._write("imported.json", json.dumps(assets.slugs(), indent=1))
        self._write("assets", _import_digest(assets, settings))

    def _read(self, name: str) -> str:
        try:
            return (self.folder / name).read_text(encoding="utf-8")
        except FileNotFoundError:
            return ""

    def _write(self, name: str, text: str) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = self.folder / f"{name}.tmp"
        draft.write_text(text, encoding="utf-8")
        draft.replace(self.folder / name)


def _set_up_digest(settings: Settings) -> str:
    """Passwords count as well; under the secret key their digest tells nothing about them."""
    superset = settings.superset
    parts = [
        version("apache-superset"),
        (PROJECT_ROOT / "superset" / "superset_config.py").read_text(encoding="utf-8"),
        (_CODE / "live" / "access.py").read_text(encoding="utf-8"),
        *(superset.admin_name, superset.admin_email, superset.viewer_name),
        *(superset.admin_password.get_secret_value(), superset.viewer_password.get_secret_value()),
    ]
    return _digest(settings, parts)


def _import_digest(assets: Assets, settings: Settings) -> str:
    """The files, the warehouse's descriptions, the way to the database, and the code that compiles."""
    sources = [
        *sorted(_CODE.rglob("*.py")),
        *sorted(WAREHOUSE.glob("views/*")),
        *sorted(WAREHOUSE.glob("marts/*")),
    ]
    parts = [
        digest_of(assets),
        dashboards_uri(settings.clickhouse),
        _set_up_digest(settings),
        *(path.read_text(encoding="utf-8") for path in sources),
    ]
    return _digest(settings, parts)


def _digest(settings: Settings, parts: list[str]) -> str:
    key = settings.superset.secret_key.get_secret_value().encode()
    return hmac.new(key, "\0".join(parts).encode(), hashlib.sha256).hexdigest()
