"""The steps of the project's Dockerfile in an empty directory: what it copies and installs is enough."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from clickstream.settings import PROJECT_ROOT

DOCKERFILE = (PROJECT_ROOT / "compose" / "project" / "Dockerfile").read_text()
UV = PROJECT_ROOT / ".venv-uv" / "bin" / "uv"


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The image's /opt/clickstream, with an environment that holds what the image installs."""
    root = tmp_path_factory.mktemp("image")
    for line in re.findall(r"^COPY (.+)$", DOCKERFILE, re.MULTILINE):
        *sources, target = line.split()
        for source in sources:
            copy(PROJECT_ROOT / source, root / target if len(sources) == 1 else root / Path(source).name)
    run(UV, "venv", "--quiet", "--no-project", "--python", sys.executable, root / "venv")
    python = ("--quiet", "--python", root / "venv" / "bin" / "python")
    requirements = root / "compose" / "project" / "requirements.txt"
    run(UV, "pip", "install", *python, "--no-deps", "--require-hashes", "--requirement", requirements)
    run(UV, "pip", "install", *python, "--no-deps", "--no-build-isolation", "--editable", root)
    return root


def copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "generated"))
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)


def run(*command: object) -> subprocess.CompletedProcess[str]:
    words = [str(word) for word in command]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    return done


def in_image(image: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Runs the image's Python, with the image's variables alone."""
    environment = {"PATH": os.defpath, "HOME": str(image), "CLICKSTREAM_STACK__DATA_DIR": str(image / "data")}
    return subprocess.run(
        [str(image / "venv" / "bin" / "python"), *arguments],
        cwd=image,
        env=environment | variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.parametrize(
    "module",
    [
        "api.app",
        "clickstream.cli.app",
        "control_panel.server",
        "generator.service",
        "stack.container",
        "stack.demo",
    ],
)
def test_each_program_of_the_image_finds_what_it_imports(image: Path, module: str) -> None:
    done = in_image(image, "-c", f"import {module}")

    assert (done.returncode, done.stderr) == (0, "")


def test_the_first_command_makes_secrets_that_only_the_owner_reads(image: Path) -> None:
    path = image / "secrets" / ".env"

    done = in_image(image, "-m", "stack", "secrets", CLICKSTREAM_ENV_FILE=str(path))

    assert done.returncode == 0, done.stderr
    assert path.stat().st_mode & 0o777 == 0o600
    assert "fresh secrets" in done.stdout


def test_a_service_that_is_not_there_is_not_healthy(image: Path) -> None:
    done = in_image(image, "-m", "stack.healthy", "api")

    assert (done.returncode, done.stderr) == (1, "api has not been checked yet\n")


def test_a_service_without_its_secrets_does_not_start(image: Path) -> None:
    done = in_image(image, "-m", "stack.container", "panel")

    assert done.returncode == 1
    assert "CLICKSTREAM_PANEL__VIEWER_PASSWORD is not set" in done.stderr
