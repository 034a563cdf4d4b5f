"""The bootstrap: what it takes from its surroundings, and that it mends what was broken off."""

import importlib.util
import re
import subprocess
from pathlib import Path
from types import ModuleType

import pytest

from clickstream.settings import PROJECT_ROOT

REQUIREMENTS = PROJECT_ROOT / "requirements"
LOCKS = sorted(REQUIREMENTS.glob("*.txt"))


@pytest.fixture(scope="module")
def bootstrap() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bootstrap", REQUIREMENTS / "bootstrap.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_environment_has_a_lock(bootstrap: ModuleType) -> None:
    assert {*bootstrap.environment_names(), "uv"} == {lock.stem for lock in LOCKS}


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.stem)
def test_locks_fix_every_package_to_its_hash(lock: Path) -> None:
    entries = re.split(r"\n(?=\S)", re.sub(r"(?m)^\s*#.*\n?", "", lock.read_text()).strip())

    assert [
        entry for entry in entries if not re.match(r"[\w.\[\],-]+==\S+.*--hash=sha256:", entry, re.DOTALL)
    ] == []


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.stem)
def test_locks_name_no_address(lock: Path) -> None:
    assert "://" not in lock.read_text()


@pytest.mark.parametrize(
    ("variable", "is_kept"),
    [
        ("PIP_FIND_LINKS", False),
        ("PIP_NO_INDEX", False),
        ("PIP_CONSTRAINT", False),
        ("UV_CONSTRAINT", False),
        ("PYTHONPATH", False),
        ("PIP_INDEX_URL", True),
        ("PIP_CERT", True),
        ("UV_CACHE_DIR", True),
        ("HTTPS_PROXY", True),
    ],
)
def test_only_how_to_reach_an_index_is_taken_from_the_environment(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch, variable: str, is_kept: bool
) -> None:
    monkeypatch.setenv(variable, "anything")

    assert (variable in bootstrap.installer_variables()) is is_kept


def test_an_environment_is_made_again_when_its_lock_changes(bootstrap: ModuleType, tmp_path: Path) -> None:
    lock = tmp_path / "main.txt"
    lock.write_text("one")
    before = bootstrap.stamp_of(lock)
    lock.write_text("two")

    assert bootstrap.stamp_of(lock) != before


def test_an_interrupted_installation_is_not_taken_for_complete(bootstrap: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").touch()
    with bootstrap.making(tmp_path, "stamp"):
        pass
    assert bootstrap.is_made(tmp_path, "stamp")

    with pytest.raises(KeyboardInterrupt), bootstrap.making(tmp_path, "stamp"):
        raise KeyboardInterrupt

    assert not bootstrap.is_made(tmp_path, "stamp")


def test_a_missing_python_is_said_in_one_line() -> None:
    finished = subprocess.run(
        ["make", "--silent", "setup", "PYTHON="],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert finished.returncode != 0
    assert finished.stderr.startswith(
        "Python 3.11 with ensurepip is missing: install it (Debian, Ubuntu: apt-get install python3.11 "
    )


def test_make_help_describes_every_target() -> None:
    finished = subprocess.run(["make"], cwd=PROJECT_ROOT, capture_output=True, text=True, check=True)

    targets = re.findall(r"(?m)^([a-z][a-z-]*):", (PROJECT_ROOT / "Makefile").read_text())
    described = re.findall(r"(?m)^  make ([a-z-]+) +\S", finished.stdout)
    assert described == targets


def test_an_environment_says_how_it_is_locked(bootstrap: ModuleType, tmp_path: Path) -> None:
    source = tmp_path / "one.in"
    source.write_text("# Why it is so.\n# uv: --exclude-newer 2026-05-20\none==1.0\n")

    assert bootstrap.own_options(source) == ["--exclude-newer", "2026-05-20"]
    assert bootstrap.own_options(REQUIREMENTS / "main.in") == ["--override", "requirements/main.overrides"]
    assert bootstrap.own_options(REQUIREMENTS / "mage.in") == ["--override", "requirements/mage.overrides"]
    source.write_text("one==1.0\n")
    assert bootstrap.own_options(source) == []


def test_the_demo_announces_what_is_missing_and_nothing_else(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(bootstrap, "ROOT", tmp_path)
    monkeypatch.setattr(bootstrap, "stamp_of", lambda *_inputs: "stamp")
    monkeypatch.setattr(bootstrap.shutil, "which", lambda _name: None)
    everything = bootstrap.missing_downloads()
    for name in (".venv", ".venv-mage", ".prometheus"):
        (tmp_path / name / "bin").mkdir(parents=True)
        (tmp_path / name / "bin" / "python").touch()
        (tmp_path / name / bootstrap.STAMP_NAME).write_text("stamp")

    assert bootstrap.announcement(everything).endswith("takes about 6 minutes on two cores.")
    assert "About 1.2 GB are downloaded" in bootstrap.announcement(everything)
    assert bootstrap.announcement(bootstrap.missing_downloads()) == (
        "Missing: the Python environment .venv-superset, Apache Kafka. About 320 MB are downloaded into this "
        "folder; with the demo, this takes about 3 minutes on two cores."
    )
    assert bootstrap.announcement({}).endswith("nothing has to be downloaded.")
