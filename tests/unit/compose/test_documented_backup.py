"""Backup and restore as docs/docker.md has them; in Docker's place is a program whose volumes are folders."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from clickstream.settings import PROJECT_ROOT

DOCKER = r"""
import os, re, shutil, subprocess, sys
from pathlib import Path

names, volumes = os.environ["VOLUMES"].split(), Path("volumes")
match sys.argv[1:]:
    case ["compose", *words] if "config" in words:
        print("\n".join(names))
    case ["compose", "down", "--volumes"]:
        shutil.rmtree(volumes)
    case ["compose", *words] if "create" in words:
        for name in names:
            (volumes / f"clickstream_{name}").mkdir(parents=True)
            (volumes / f"clickstream_{name}" / "of-the-image").touch()
    case ["run", *words]:
        mounts = {}
        while words[0].startswith("--"):
            if words[0] == "--volume":
                source, target, *_ = words[1].split(":")
                mounts[target] = source if source.startswith("/") else str(volumes.resolve() / source)
            words = words[1:] if words[0] == "--rm" else words[2:]
        image, *command = words
        assert image == "clickstream/project:2026-11", image
        path = re.compile(r"(?<![\w/])/(?:data|backup)\b")
        command = [path.sub(lambda found: mounts[found[0]], word) for word in command]
        sys.exit(subprocess.run(command).returncode)
"""


def blocks() -> tuple[str, str]:
    text = (PROJECT_ROOT / "docs" / "docker.md").read_text()
    section = text.partition("### Back up and restore\n")[2].partition("\n### ")[0]
    backup, restore, *_ = re.findall(r"```sh\n(.*?)```", section, re.DOTALL)
    return backup, restore


@pytest.fixture
def machine(tmp_path: Path, project: Mapping[str, Any]) -> Mapping[str, str]:
    """A checkout with its volumes; gives the environment of its shell."""
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "docker"
    program.write_text(f"#!{sys.executable}{DOCKER}")
    program.chmod(0o755)
    (tmp_path / ".env").write_text("A_SECRET=1\n")
    for name in project["volumes"]:
        folder = tmp_path / "volumes" / f"clickstream_{name}" / "sub folder"
        folder.mkdir(parents=True)
        (folder / "file").write_text(name)
        (folder / "file").chmod(0o600)
    return {
        "PATH": f"{tmp_path / 'bin'}:{os.defpath}",
        "VOLUMES": " ".join(project["volumes"]),
        "CLICKSTREAM_VERSION": "2026-11",
    }


def contents(directory: Path) -> Mapping[str, tuple[int, str]]:
    return {
        str(path.relative_to(directory)): (path.stat().st_mode, path.read_text() if path.is_file() else "")
        for path in directory.rglob("*")
    }


def test_a_restored_backup_holds_what_every_volume_held_and_nothing_else(
    tmp_path: Path, machine: Mapping[str, str]
) -> None:
    backup, restore = blocks()
    before = contents(tmp_path / "volumes")

    subprocess.run(["/bin/sh", "-ec", backup], cwd=tmp_path, env=machine, check=True)
    (tmp_path / ".env").unlink()
    subprocess.run(["/bin/sh", "-ec", restore], cwd=tmp_path, env=machine, check=True)

    assert contents(tmp_path / "volumes") == before
    assert (tmp_path / ".env").read_text() == "A_SECRET=1\n"
    assert (tmp_path / "backup").stat().st_mode & 0o077 == 0
