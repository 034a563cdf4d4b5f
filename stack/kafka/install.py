"""Puts Kafka's jars in place: downloaded once by Maven, each checked against the committed checksums."""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from clickstream.errors import ClickstreamError
from clickstream.settings import PROJECT_ROOT

POM: Final = Path(__file__).with_name("pom.xml")
CHECKSUMS: Final = Path(__file__).with_name("jars.sha256")

# Beside the Python environments: not data of a stack, so that `make reset` and tests don't download it again.
HOME: Final = PROJECT_ROOT / ".kafka"

LEAST_JAVA: Final = 17
DOWNLOAD_SECONDS: Final = 600
POLL_SECONDS: Final = 0.2
SAY_EVERY_SECONDS: Final = 5.0
LOG_LINES_SHOWN: Final = 5

Say = Callable[[str], None]


class KafkaInstallError(ClickstreamError):
    """Kafka can't be installed or started here."""


def jars_directory() -> Path:
    """Where the jars lie that the committed checksums name."""
    return HOME / hashlib.sha256(CHECKSUMS.read_bytes()).hexdigest()[:12]


def ensure_installed(say: Say) -> None:
    """Download what is missing and check it; does nothing if it is there.

    Args:
        say: Is told what is being done, when it takes long.

    Raises:
        KafkaInstallError: Java or Maven is missing, the download fails, or a jar is not what it should be.
    """
    java()
    target = jars_directory()
    if target.is_dir():
        return
    HOME.mkdir(exist_ok=True)
    with _only_one_at_a_time():
        if target.is_dir():
            return
        with tempfile.TemporaryDirectory(dir=HOME, prefix="download-") as directory:
            jars = Path(directory) / "jars"
            download(jars, say)
            verify(jars, expected_checksums())
            jars.rename(target)


def java() -> Path:
    """The Java that runs Kafka: of `JAVA_HOME`, else the first on the path.

    Raises:
        KafkaInstallError: Java is missing or too old.
    """
    home = os.environ.get("JAVA_HOME")
    program = shutil.which("java", path=f"{home}/bin") if home else shutil.which("java")
    hint = (
        f"Install it (Debian, Ubuntu: apt-get install openjdk-{LEAST_JAVA}-jre-headless; "
        "macOS: brew install openjdk), or name another broker in CLICKSTREAM_BROKER__EXTERNAL_SERVERS."
    )
    if program is None:
        raise KafkaInstallError(f"Java {LEAST_JAVA} or newer is missing; Kafka needs it.", hint=hint)
    told = subprocess.run([program, "-version"], capture_output=True, text=True, check=False)
    version = re.search(r'version "(\d+)', told.stderr + told.stdout)
    if version is None or int(version[1]) < LEAST_JAVA:
        found = (told.stderr + told.stdout).partition("\n")[0].strip() or "it tells no version"
        raise KafkaInstallError(
            f"Java {LEAST_JAVA} or newer is missing; Kafka needs it. {program} tells: {found}.",
            hint=hint,
        )
    return Path(program)


def download(jars: Path, say: Say) -> None:
    """Have Maven fetch Kafka and all that it needs into a directory.

    Raises:
        KafkaInstallError: Maven is missing, or fails; says the end of what it printed.
    """
    maven = shutil.which("mvn")
    if maven is None:
        raise KafkaInstallError(
            "Maven is missing; it downloads Kafka.",
            hint="Install it (Debian, Ubuntu: apt-get install maven; macOS: brew install maven).",
        )
    repository = jars.with_name("repository")
    command = [
        *(maven, "--batch-mode", "--quiet", "--strict-checksums", "--file", str(POM)),
        # A repository of its own: nothing that lies in the home directory is trusted, and nothing left there.
        f"-Dmaven.repo.local={repository}",
        *("dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={jars}"),
    ]
    say("downloading Kafka, once (54 MB)")
    log = jars.with_name("maven.log")
    with log.open("w") as output, subprocess.Popen(command, stdout=output, stderr=output) as process:
        try:
            follow(process, repository, say)
        finally:
            process.kill()
    if process.returncode != 0:
        lines = log.read_text(errors="replace").strip().splitlines()
        raise KafkaInstallError(
            "Maven can't download Kafka:\n  " + "\n  ".join(lines[:LOG_LINES_SHOWN]),
            hint="See that this machine reaches Maven's central repository, then try again.",
        )


def follow(
    process: subprocess.Popen[bytes], repository: Path, say: Say, every_seconds: float = SAY_EVERY_SECONDS
) -> None:
    """Say how far the download is until it ends.

    Args:
        process: Maven.
        repository: Where it puts the files.
        say: Is told.
        every_seconds: How often.

    Raises:
        KafkaInstallError: It takes too long.
    """
    said_at = started_at = time.monotonic()
    while process.poll() is None:
        now = time.monotonic()
        if now > started_at + DOWNLOAD_SECONDS:
            raise KafkaInstallError(f"The download of Kafka has not ended within {DOWNLOAD_SECONDS} s.")
        if now >= said_at + every_seconds:
            said_at = now
            say(_how_far(repository))
        time.sleep(POLL_SECONDS)


def _how_far(repository: Path) -> str:
    """How much is there. Maven begins with its own plugins, so the files of Kafka alone would stay at 0."""
    expected = expected_checksums()
    sizes = {}
    for path in repository.rglob("*.jar"):
        with suppress(FileNotFoundError):  # Maven may replace it right now.
            sizes[path.name] = path.stat().st_size
    there = len(sizes.keys() & expected.keys())
    return f"downloading Kafka: {sum(sizes.values()) / 1e6:.0f} MB, {there} of {len(expected)} files"


def expected_checksums() -> Mapping[str, str]:
    """SHA-256 of each jar, by its name."""
    pairs = (line.split() for line in CHECKSUMS.read_text(encoding="utf-8").splitlines())
    return {name: checksum for checksum, name in pairs}


def checksums_of(jars: Path) -> Mapping[str, str]:
    """SHA-256 of the jars in a directory, by their names."""
    found = {}
    for path in sorted(jars.iterdir()):
        with path.open("rb") as file:
            found[path.name] = hashlib.file_digest(file, "sha256").hexdigest()
    return found


def verify(jars: Path, expected: Mapping[str, str]) -> None:
    """Check that the directory holds exactly the jars that were expected.

    Raises:
        KafkaInstallError: It does not; names the jars that differ.
    """
    found = checksums_of(jars)
    wrong = sorted(name for name in found.keys() | expected.keys() if found.get(name) != expected.get(name))
    if wrong:
        raise KafkaInstallError(
            f"The download of Kafka is not what {CHECKSUMS.name} says: {', '.join(wrong)}.",
            hint="Nothing was installed. Try again; if it stays so, the files were changed on the way.",
        )


@contextmanager
def _only_one_at_a_time() -> Iterator[None]:
    descriptor = os.open(HOME, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
