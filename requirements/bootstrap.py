"""Make the Python environments of this checkout, each from its hashed lock; needs Python 3.11 and no more.

`requirements/<name>.in` says what an environment needs and `requirements/<name>.txt` is its lock. An
environment lives in `.venv-<name>`, main's in `.venv`. One that fits its lock is left alone; one that was
left half-made is mended.

    python3.11 requirements/bootstrap.py [NAME …]           make the environments named, else all
    python3.11 requirements/bootstrap.py --lock [NAME …]    re-make the locks from the `.in` files
    python3.11 requirements/bootstrap.py --announce         say what the first start downloads
"""

import argparse
import fcntl
import hashlib
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
import time
import venv
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ROOT / "requirements"
UV_ENVIRONMENT = ROOT / ".venv-uv"
UV = UV_ENVIRONMENT / "bin" / "uv"
UV_LOCK = REQUIREMENTS / "uv.txt"
STAMP_NAME = "clickstream-stamp"
OPTIONS_MARK = "# uv:"

# About how much the first start downloads, in megabytes.
ENVIRONMENT_MB = {"main": 460, "mage": 400, "superset": 260}
KAFKA_MB = 60
PROMETHEUS_MB = 50
# On two cores with a fast network: the demo itself, and setting up.
DEMO_MINUTES = 1.5
MB_A_MINUTE = 270

# What a person may rightly have set for pip: how to reach a package index. Anything else (PIP_FIND_LINKS,
# PIP_TARGET, PIP_CONSTRAINT …) would change or break an installation that its lock fixes to the last byte.
KEPT_PIP_VARIABLES = frozenset(
    {"PIP_INDEX_URL", "PIP_CERT", "PIP_CLIENT_CERT", "PIP_PROXY", "PIP_TRUSTED_HOST", "PIP_DEFAULT_TIMEOUT"}
    | {"PIP_RETRIES", "PIP_CACHE_DIR", "PIP_CONFIG_FILE"}
)
KEPT_UV_PREFIXES = (
    "UV_DEFAULT_INDEX",
    "UV_INDEX",
    "UV_CACHE_DIR",
    "UV_HTTP",
    "UV_NATIVE_TLS",
    "UV_SYSTEM_CERTS",
)
SYSTEM_CERTIFICATES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)


class BootstrapError(Exception):
    """An environment can't be made; the message says why and what to do."""


def environment_names() -> list[str]:
    """Names of all environments: those with a requirements pair."""
    return sorted(path.stem for path in REQUIREMENTS.glob("*.in"))


def environment_path(name: str) -> Path:
    """Where the environment lives."""
    return ROOT / (".venv" if name == "main" else f".venv-{name}")


def installer_variables() -> Mapping[str, str]:
    """The environment variables of pip and uv: the caller's, without those that change what is installed."""
    kept = {
        key: value
        for key, value in os.environ.items()
        if (not key.startswith("PIP_") or key in KEPT_PIP_VARIABLES)
        and (not key.startswith("UV_") or key.startswith(KEPT_UV_PREFIXES))
        and key not in {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"}
    }
    kept["PIP_DISABLE_PIP_VERSION_CHECK"] = "1"
    # uv does not read pip's settings; a mirror or a company's certificate serves both.
    if "PIP_INDEX_URL" in kept:
        kept.setdefault("UV_DEFAULT_INDEX", kept["PIP_INDEX_URL"])
    if "PIP_CERT" in kept:
        kept.setdefault("SSL_CERT_FILE", kept["PIP_CERT"])
    # Like pip, trust what the machine trusts; where it knows no certificates, uv falls back on its own.
    if sys.platform == "darwin" or any(Path(bundle).exists() for bundle in SYSTEM_CERTIFICATES):
        kept.setdefault("UV_SYSTEM_CERTS", "1")
    return kept


def run(*command: str | Path) -> None:
    """Run an installer.

    Raises:
        BootstrapError: It failed; its own words are on standard error.
    """
    words = [str(word) for word in command]
    finished = subprocess.run(words, env=installer_variables(), cwd=ROOT, check=False)
    if finished.returncode != 0:
        raise BootstrapError(
            f"`{' '.join(words[:3])}` failed with exit code {finished.returncode}, see above. If the package "
            "index could not be reached, check the network (PIP_INDEX_URL names a mirror, PIP_CERT a "
            "certificate), then run the same command again: it goes on where it stopped."
        )


def stamp_of(*inputs: Path) -> str:
    """What an environment was made from: the inputs' bytes, this Python and the checkout's place.

    The place counts because scripts of an environment name their interpreter by its absolute path.
    """
    digest = hashlib.sha256(f"{platform.python_version()}\0{ROOT}\0".encode())
    for path in inputs:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def is_made(environment: Path, stamp: str) -> bool:
    """Whether the environment is complete and made from this very stamp."""
    stamp_file = environment / STAMP_NAME
    return (
        (environment / "bin" / "python").exists() and stamp_file.is_file() and stamp_file.read_text() == stamp
    )


@contextmanager
def making(environment: Path, stamp: str) -> Iterator[None]:
    """Write the stamp only if the block succeeds, so that an interrupted installation is known as such."""
    (environment / STAMP_NAME).unlink(missing_ok=True)
    started = time.monotonic()
    print(f"Making {environment.name} …", flush=True)
    yield
    (environment / STAMP_NAME).write_text(stamp)
    print(f"Made {environment.name} in {time.monotonic() - started:.0f} s", flush=True)


def make_uv() -> None:
    """Install the pinned uv into an environment of its own; a bare machine has none."""
    stamp = stamp_of(UV_LOCK)
    if is_made(UV_ENVIRONMENT, stamp) and UV.exists():
        return
    if importlib.util.find_spec("ensurepip") is None:
        raise BootstrapError(
            "Python's ensurepip is missing: install it (Debian, Ubuntu: apt-get install python3.11-venv)."
        )
    with making(UV_ENVIRONMENT, stamp):
        venv.create(UV_ENVIRONMENT, with_pip=True, clear=True)
        pip = (UV_ENVIRONMENT / "bin" / "python", "-m", "pip", "install", "--quiet", "--no-deps")
        run(*pip, "--require-hashes", "--only-binary", ":all:", "--requirement", UV_LOCK)


def make_environment(name: str) -> None:
    """Make one environment from its lock and install the checkout into it, editable."""
    environment = environment_path(name)
    lock = REQUIREMENTS / f"{name}.txt"
    stamp = stamp_of(lock, ROOT / "pyproject.toml")
    if is_made(environment, stamp):
        return
    make_uv()
    with making(environment, stamp):
        run(UV, "venv", "--quiet", "--clear", "--no-project", "--python", sys.executable, environment)
        python = ("--quiet", "--python", environment / "bin" / "python")
        # Compiled once: where Python may not write beside the packages, each process would do it again.
        run(UV, "pip", "sync", *python, "--compile-bytecode", "--require-hashes", lock)
        run(UV, "pip", "install", *python, "--no-deps", "--no-build-isolation", "--editable", ROOT)


def missing_downloads() -> dict[str, int]:
    """What is not set up yet, by its name for people, and about how many megabytes it takes to download."""
    missing = {
        f"the Python environment {environment_path(name).name}": ENVIRONMENT_MB.get(name, 0)
        for name in environment_names()
        if not is_made(
            environment_path(name), stamp_of(REQUIREMENTS / f"{name}.txt", ROOT / "pyproject.toml")
        )
    }
    if not (ROOT / ".kafka").is_dir():
        missing["Apache Kafka"] = KAFKA_MB
    if not (ROOT / ".prometheus").is_dir() and shutil.which("prometheus") is None:
        missing["Prometheus"] = PROMETHEUS_MB
    return missing


def announcement(missing: Mapping[str, int]) -> str:
    """What the demo is about to do, in two sentences."""
    megabytes = sum(missing.values())
    if not missing:
        return "This takes one to two minutes on two cores; nothing has to be downloaded."
    size = f"{megabytes / 1000:.1f} GB" if megabytes >= 1000 else f"{megabytes} MB"
    minutes = round(DEMO_MINUTES + megabytes / MB_A_MINUTE)
    return (
        f"Missing: {', '.join(missing)}. About {size} are downloaded into this folder; with the demo, this "
        f"takes about {minutes} minutes on two cores."
    )


def own_options(source: Path) -> list[str]:
    """What a `.in` file asks of uv when it is locked, in lines that begin with `# uv:`."""
    lines = source.read_text(encoding="utf-8").splitlines()
    return [
        word
        for line in lines
        if line.startswith(OPTIONS_MARK)
        for word in line.removeprefix(OPTIONS_MARK).split()
    ]


def make_lock(name: str, *, upgrade: bool) -> None:
    """Re-make a lock; pins that still fit stay, unless all are to be upgraded.

    The lock names no package index: with a mirror or without, it is the same file.
    """
    make_uv()
    source, lock = REQUIREMENTS / f"{name}.in", REQUIREMENTS / f"{name}.txt"
    options = ["--quiet", "--generate-hashes", "--python-version", "3.11", "--no-header"]
    options += ["--no-emit-index-url", *own_options(source), *(["--upgrade"] if upgrade else [])]
    run(UV, "pip", "compile", *options, source.relative_to(ROOT), "--output-file", lock.relative_to(ROOT))
    print(f"Locked {lock.relative_to(ROOT)}")


@contextmanager
def only_one_at_a_time() -> Iterator[None]:
    """Wait until no other bootstrap of this checkout runs."""
    directory = os.open(REQUIREMENTS, os.O_RDONLY)
    try:
        fcntl.flock(directory, fcntl.LOCK_EX)
        yield
    finally:
        os.close(directory)


def parse_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    """The command line; names are checked against the requirements that are there."""
    parser = argparse.ArgumentParser(description="Make the Python environments of this checkout.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="names of environments; else all of them")
    parser.add_argument("--lock", action="store_true", help="re-make the locks instead")
    parser.add_argument("--announce", action="store_true", help="say what the first start downloads")
    parser.add_argument("--upgrade", action="store_true", help="with --lock: the newest versions that fit")
    options = parser.parse_args(arguments)
    if unknown := set(options.names) - set(environment_names()):
        parser.error(f"no such environment: {', '.join(unknown)}; there are {', '.join(environment_names())}")
    return options


def main(arguments: Sequence[str]) -> int:
    """Do what the command line asks; gives the exit code."""
    if sys.version_info[:2] != (3, 11):
        print(f"Python 3.11 is needed, this is {platform.python_version()}.", file=sys.stderr)
        return 1
    options = parse_arguments(arguments)
    if options.announce:
        print(announcement(missing_downloads()))
        return 0
    try:
        with only_one_at_a_time():
            for name in options.names or environment_names():
                if options.lock:
                    make_lock(name, upgrade=options.upgrade)
                else:
                    make_environment(name)
    except (BootstrapError, OSError) as error:
        print(f"Setting up failed: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted; the next run goes on from here.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
