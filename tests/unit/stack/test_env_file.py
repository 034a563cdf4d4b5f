"""The settings file and its secrets."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from dotenv import dotenv_values

from clickstream.settings import get_settings
from stack.env_file import (
    EXAMPLE_FILE,
    MIN_SECRET_LENGTH,
    SettingsError,
    ensure_env_file,
    load_settings,
    render_env_file,
    setting_entries,
    unknown_settings,
)

SECRETS = [entry.variable for entry in setting_entries() if entry.default is None]


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for entry in setting_entries():
        monkeypatch.delenv(entry.variable, raising=False)
    get_settings.cache_clear()


@pytest.fixture
def env_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / ".env"
    monkeypatch.setenv("CLICKSTREAM_ENV_FILE", str(path))
    return path


def test_example_file_is_what_the_settings_say() -> None:
    assert EXAMPLE_FILE.read_text() == render_env_file(), "run `make env-example`"


def test_every_setting_is_described() -> None:
    assert [entry.variable for entry in setting_entries() if not entry.description.endswith(".")] == []


def test_first_start_makes_a_secret_for_each_that_is_needed(env_path: Path) -> None:
    change = ensure_env_file(env_path)

    values = [dotenv_values(env_path)[name] for name in SECRETS]
    assert change.created
    assert all(value and len(value) >= MIN_SECRET_LENGTH for value in values)
    assert len(set(values)) == len(SECRETS)


def test_only_the_owner_can_read_the_file(env_path: Path) -> None:
    ensure_env_file(env_path)

    assert env_path.stat().st_mode & 0o777 == 0o600


def test_a_file_that_others_could_read_is_closed_to_them(env_path: Path) -> None:
    ensure_env_file(env_path)
    env_path.chmod(0o644)

    ensure_env_file(env_path)

    assert env_path.stat().st_mode & 0o777 == 0o600


def test_a_complete_file_stays_as_it_is(env_path: Path) -> None:
    ensure_env_file(env_path)
    env_path.write_text(env_path.read_text() + "# mine\nOTHER=1\n")
    before = env_path.read_bytes()

    change = ensure_env_file(env_path)

    assert change.added == ()
    assert env_path.read_bytes() == before


def test_a_secret_that_is_new_is_added_and_the_others_stay(env_path: Path) -> None:
    env_path.write_text(f"# mine\n{SECRETS[0]}=chosen-by-a-person\n")

    change = ensure_env_file(env_path)

    values = dotenv_values(env_path)
    assert change.added == tuple(SECRETS[1:])
    assert values[SECRETS[0]] == "chosen-by-a-person"
    assert all(values[name] for name in SECRETS)
    assert env_path.read_text().startswith("# mine\n")


def test_a_secret_that_was_emptied_is_made_anew_in_its_place(env_path: Path) -> None:
    env_path.write_text("".join(f"{name}=\n" for name in SECRETS))

    ensure_env_file(env_path)

    lines = env_path.read_text().splitlines()
    assert [line.partition("=")[0] for line in lines] == SECRETS
    assert all(line.partition("=")[2] for line in lines)


def test_a_secret_in_the_environment_needs_no_line(env_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SECRETS[0], "from-the-environment")

    assert SECRETS[0] not in ensure_env_file(env_path).added


def test_first_starts_at_the_same_time_agree_on_the_secrets(env_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        changes = list(pool.map(lambda _: ensure_env_file(env_path), range(8)))

    assert sum(change.created for change in changes) == 1
    assert [path.name for path in env_path.parent.iterdir()] == [".env"]


@pytest.mark.parametrize("weak", ["admin", "changeme", "12345678901"])
def test_nothing_starts_with_a_weak_secret(env_path: Path, weak: str) -> None:
    env_path.write_text(f"{SECRETS[-1]}={weak}\n")

    with pytest.raises(SettingsError, match=f"^{SECRETS[-1]} has fewer than 12 characters"):
        load_settings()


def test_a_wrong_setting_is_named_with_its_value_and_its_file(env_path: Path) -> None:
    env_path.write_text("CLICKSTREAM_MAGE__PORT=65536\n")

    with pytest.raises(SettingsError, match=r"CLICKSTREAM_MAGE__PORT: .*65535 \(it is '65536'\)") as caught:
        load_settings()
    assert str(env_path) in caught.value.hint


def test_lines_that_are_no_settings_are_named_with_what_they_may_mean(env_path: Path) -> None:
    env_path.write_text(
        "CLICKSTREAM_PANEL_PORT=8502\nCLICKSTREAM_API__PORT=8001\nCLICKSTREAM_XYZ=1\n"
        "CLICKSTREAM_VERSION=2026-11\nPANEL__PORT=1\n"
    )

    assert unknown_settings(env_path) == {
        "CLICKSTREAM_PANEL_PORT": "CLICKSTREAM_PANEL__PORT",
        "CLICKSTREAM_XYZ": "",
    }


def test_the_example_file_holds_nothing_but_settings() -> None:
    assert unknown_settings(EXAMPLE_FILE) == {}
