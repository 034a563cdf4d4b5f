"""Mage's project in a volume: people change it in the editor, and releases bring new versions of its files.

An image holds the project of its release in `released/`; the volume holds the one that Mage runs. Each file
of the volume is compared with the release that was installed last:

- A file that nobody has changed becomes that of the new release.
- A file that somebody has changed, or added, stays, unless the new release has changed the same file.
- Otherwise the release wins, so that its pipelines fit its code. The replaced version is kept in `replaced/`
  within the project, and triggers that somebody has paused or resumed stay so.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import yaml

from clickstream.settings import PROJECT_ROOT

RELEASED_PROJECT: Final = PROJECT_ROOT / "released" / "mage_project"
"""Exists in Mage's image alone."""

INSTALLED_NAME: Final = ".installed.json"
"""Holds the digest of each file of the release that was installed last, by its path."""

REPLACED_NAME: Final = "replaced"
TRIGGERS_NAME: Final = "triggers.yaml"


@dataclass
class Installation:
    """What an installation did with files that somebody had changed.

    Attributes:
        kept: Those that stayed as they were.
        replaced: Where the versions of those lie that the release has replaced or removed.
    """

    kept: list[str] = field(default_factory=list)
    replaced: list[Path] = field(default_factory=list)

    def describe(self) -> str:
        """Both lists, a line for each file; empty if nobody had changed anything."""
        lines = [f"Kept as changed here: {name}" for name in self.kept]
        lines += [f"Replaced by this release; the version from here is in {path}" for path in self.replaced]
        return "".join(f"{line}\n" for line in lines)


def install_release(release: Path, project: Path, now: datetime) -> Installation:
    """Bring the files of a release into the project that Mage runs.

    It can be interrupted at any moment and run again.

    Args:
        release: The project of the release.
        project: The project that Mage runs; empty at the first start.
        now: Names the folder with the replaced versions.
    """
    record = project / INSTALLED_NAME
    before: Mapping[str, str] = json.loads(record.read_bytes()) if record.exists() else {}
    released = {path.relative_to(release).as_posix(): _digest(path) for path in _files(release)}
    installation = Installation()
    replaced = project / REPLACED_NAME / now.strftime("%Y-%m-%dT%H%M%SZ")
    for name in sorted({*before, *released}):
        target = project / name
        found = _digest(target) if target.is_file() else None
        installed, wanted = before.get(name), released.get(name)
        if found == wanted:
            continue
        if found != installed and wanted == installed:
            installation.kept.append(name)
            continue
        content = (release / name).read_bytes() if wanted else None
        if found is not None and found != installed:
            content = _replace(target, replaced / name, content)
            installation.replaced.append((replaced / name).relative_to(project))
        _write(target, content)
    _write(record, json.dumps(released, indent=1).encode())
    return installation


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _replace(target: Path, copy: Path, content: bytes | None) -> bytes | None:
    """Keep a copy of what the release replaces; gives what the target gets instead."""
    old = target.read_bytes()
    _write(copy, old)
    return _with_states_of(old, content) if content is not None and target.name == TRIGGERS_NAME else content


def _with_states_of(old: bytes, new: bytes) -> bytes:
    """The triggers of the release, paused or active as they are here, with those that were added here."""
    try:
        ours: Mapping[str, Mapping[str, Any]] = {one["name"]: one for one in yaml.safe_load(old)["triggers"]}
        states = {name: one["status"] for name, one in ours.items()}
    except (yaml.YAMLError, KeyError, TypeError):
        # Mage could not read it either.
        return new
    document = yaml.safe_load(new)
    for trigger in document["triggers"]:
        trigger["status"] = states.get(trigger["name"], trigger["status"])
    known = {trigger["name"] for trigger in document["triggers"]}
    document["triggers"] += [trigger for name, trigger in ours.items() if name not in known]
    return yaml.safe_dump(document).encode()


def _write(target: Path, content: bytes | None) -> None:
    """Write a file, all of it or nothing; None removes it."""
    if content is None:
        target.unlink(missing_ok=True)
        # Mage takes an empty folder for a broken pipeline.
        with suppress(OSError):
            target.parent.rmdir()
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(f".{target.name}.unfinished")
    unfinished.write_bytes(content)
    unfinished.replace(target)
