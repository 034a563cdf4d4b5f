"""The command line's output and its words about settings."""

import json
import re
import sys
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path

import pytest

from clickstream.cli.app import main
from clickstream.cli.output import print_json
from clickstream.etl.csv_load import BrokenLine
from clickstream.settings import get_settings


def refuse_constant(name: str) -> None:
    raise AssertionError(f"{name} is no JSON")


def test_json_is_what_any_reader_takes(capsys: pytest.CaptureFixture[str]) -> None:
    print_json(
        {
            "nan": float("nan"),
            "large": 10**30,
            "time": datetime(2025, 1, 1, tzinfo=UTC),
            "ip": ip_address("::1"),
            "line": BrokenLine(3, "malformed_line"),
            "text": "é\0",
        }
    )

    assert json.loads(capsys.readouterr().out, parse_constant=refuse_constant) == {
        "nan": None,
        "large": 10**30,
        "time": "2025-01-01T00:00:00Z",
        "ip": "::1",
        "line": {"line": 3, "code": "malformed_line", "message": ""},
        "text": "é\0",
    }


@pytest.mark.parametrize("arguments", [["ledger"], ["quarantine", "list"], ["quarantine", "replay"]])
def test_missing_settings_are_named_by_every_command(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CLICKSTREAM_ENV_FILE", str(tmp_path / "none"))
    monkeypatch.setattr(sys, "argv", ["clickstream", *arguments])
    get_settings.cache_clear()

    with pytest.raises(SystemExit) as end:
        main()

    get_settings.cache_clear()
    assert end.value.code == 1
    assert re.search(r"CLICKSTREAM_\w+_PASSWORD is not set", capsys.readouterr().err)
