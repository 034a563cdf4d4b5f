"""The settings file: documented from the settings' model, with secrets made at the first start."""

import difflib
import fcntl
import json
import os
import secrets
import textwrap
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dotenv import dotenv_values
from pydantic import BaseModel, SecretStr, ValidationError
from pydantic.fields import FieldInfo

from clickstream.errors import ClickstreamError
from clickstream.settings import PROJECT_ROOT, Settings, env_file, get_settings

EXAMPLE_FILE: Final = PROJECT_ROOT / ".env.example"
PREFIX: Final = Settings.model_config["env_prefix"]
SECRET_BYTES: Final = 24
NOT_FOR_US: Final = frozenset({f"{PREFIX}VERSION"})
"""What only docker-compose.yml reads from the settings file."""

MIN_SECRET_LENGTH: Final = 12
EXAMPLE_HEADER: Final = """\
# Every setting with its default. At the first start a copy of this file with fresh secrets becomes `.env`,
# which only its owner can read and git ignores. Remove the `#` to change a setting; an environment variable
# of the same name wins. Made from clickstream/settings.py by `make env-example`.
"""


class SettingsError(ClickstreamError):
    """A setting is missing, malformed or unsafe; nothing was started."""


@dataclass(frozen=True)
class SettingEntry:
    """One setting as a line of the settings file.

    Attributes:
        variable: Name of the environment variable.
        section: The service that it belongs to.
        description: What it means.
        default: Its default as text; None if it is a secret, which has none.
    """

    variable: str
    section: str
    description: str
    default: str | None


@dataclass(frozen=True)
class EnvFileChange:
    """What `ensure_env_file` did: whether it made the file, and the secrets that it added."""

    created: bool
    added: tuple[str, ...]


def setting_entries() -> list[SettingEntry]:
    """All settings, in the order of the model."""
    return [
        SettingEntry(
            variable=variable_of(section, name),
            section=section,
            description=field.description or "",
            default=None if field.annotation is SecretStr else _default_text(field),
        )
        for section, model in _sections().items()
        for name, field in model.model_fields.items()
    ]


def variable_of(*path: str) -> str:
    """The environment variable of a setting: `("mage", "port")` is `CLICKSTREAM_MAGE__PORT`."""
    return PREFIX + "__".join(path).upper()


def render_env_file(secret_values: Mapping[str, str] | None = None) -> str:
    """The settings file: every setting described, defaults commented out, secrets set to the values given."""
    values = secret_values or {}
    lines = [EXAMPLE_HEADER]
    section = ""
    for entry in setting_entries():
        if entry.section != section:
            section = entry.section
            lines.append(
                f"\n# --- {section}: {(_sections()[section].__doc__ or '').strip().splitlines()[0]}\n"
            )
        lines.extend(f"# {line}\n" for line in textwrap.wrap(entry.description, width=108))
        assignment = f"{entry.variable}={values.get(entry.variable, '')}"
        lines.append(f"{assignment}\n" if entry.default is None else f"# {assignment}{entry.default}\n")
    return "".join(lines)


def ensure_env_file(path: Path) -> EnvFileChange:
    """Make the settings file if it is missing, and add secrets that it lacks; what is set stays as it is.

    A secret that the environment holds counts as set.
    """
    target = path.resolve()
    target.parent.mkdir(parents=True, exist_ok=True)
    with _locked(target.parent):
        names = [entry.variable for entry in setting_entries() if entry.default is None]
        present = dotenv_values(target) if target.exists() else {}
        missing = [name for name in names if not present.get(name) and not os.environ.get(name)]
        fresh = {name: secrets.token_urlsafe(SECRET_BYTES) for name in missing}
        created = not target.exists()
        if created:
            _write_private(target, render_env_file(fresh))
        elif missing:
            _write_private(target, _with_secrets(target.read_text(encoding="utf-8"), fresh))
        elif target.stat().st_mode & 0o077:
            target.chmod(0o600)
    return EnvFileChange(created=created, added=tuple(missing))


def load_settings() -> Settings:
    """The settings of this process, with the settings file made or completed first.

    Raises:
        SettingsError: A setting is wrong or a secret too weak; names the setting and the file.
    """
    ensure_env_file(env_file())
    try:
        settings = get_settings()
    except ValidationError as error:
        raise _explained(error) from error
    _refuse_weak_secrets(settings)
    return settings


def unknown_settings(path: Path) -> dict[str, str]:
    """Variables of the settings file that look like settings but are none, and the setting each may mean."""
    known = [entry.variable for entry in setting_entries()]
    mine = [name for name in dotenv_values(path) if name.upper().startswith(PREFIX)]
    return {
        name: next(iter(difflib.get_close_matches(name.upper(), known, n=1, cutoff=0.85)), "")
        for name in mine
        if name.upper() not in {*known, *NOT_FOR_US}
    }


def _sections() -> dict[str, type[BaseModel]]:
    return {
        name: field.annotation
        for name, field in Settings.model_fields.items()
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)
    }


def _default_text(field: FieldInfo) -> str:
    default = field.get_default(call_default_factory=True)
    return json.dumps(default) if isinstance(default, bool | list | dict) else str(default)


def _with_secrets(text: str, fresh: Mapping[str, str]) -> str:
    """The file's text with each secret put where its empty line is, else at the end."""
    lines = text.splitlines()
    left = dict(fresh)
    for place, line in enumerate(lines):
        name = line.partition("=")[0].removeprefix("export ").strip()
        if name in left:
            lines[place] = f"{name}={left.pop(name)}"
    descriptions = {entry.variable: entry.description for entry in setting_entries()}
    for name, value in left.items():
        lines += [
            "",
            *(f"# {part}" for part in textwrap.wrap(descriptions[name], width=108)),
            f"{name}={value}",
        ]
    return "\n".join(lines) + "\n"


def _write_private(target: Path, text: str) -> None:
    """Put the file in place in one step, readable by its owner alone from its first byte on."""
    draft = target.with_name(f"{target.name}.{os.getpid()}.tmp")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)


@contextmanager
def _locked(directory: Path) -> Iterator[None]:
    """Keep two first starts from making two sets of secrets."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _explained(error: ValidationError) -> SettingsError:
    """The validation error with the names and values that a person knows."""
    problems = []
    for problem in error.errors(include_url=False):
        path = [str(part) for part in problem["loc"]]
        shown = "" if problem["type"] == "missing" else f" (it is {problem['input']!r})"
        problems.append(f"{variable_of(*path)}: {problem['msg']}{shown}")
    return SettingsError(
        "Settings can't be used:\n  " + "\n  ".join(problems),
        hint=f"Correct them in {env_file()} or in the environment; {EXAMPLE_FILE.name} describes each.",
    )


def _refuse_weak_secrets(settings: Settings) -> None:
    for entry in setting_entries():
        if entry.default is not None:
            continue
        value = _value_of(settings, entry).get_secret_value()
        if len(value) < MIN_SECRET_LENGTH:
            raise SettingsError(
                f"{entry.variable} has fewer than {MIN_SECRET_LENGTH} characters; "
                "nothing starts with a weak secret.",
                hint=f"Set a longer one in {env_file()}, or empty it there: the next start makes one.",
            )


def _value_of(settings: Settings, entry: SettingEntry) -> SecretStr:
    name = entry.variable.removeprefix(f"{PREFIX}{entry.section.upper()}__").lower()
    value = getattr(getattr(settings, entry.section), name)
    assert isinstance(value, SecretStr), entry.variable  # noqa: S101 -- entries without a default are secrets
    return value
