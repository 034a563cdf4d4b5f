"""ClickHouse's own configuration reader takes the server's files, and each user has exactly its rights."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from clickstream.settings import PROJECT_ROOT, EtlSettings
from stack.gateway.accounts import Account
from stack.gateway.execution import MAX_STATEMENT_BYTES

FOLDER = PROJECT_ROOT / "compose" / "clickhouse"
ACCESS = PROJECT_ROOT / "warehouse" / "access" / "dashboards.sql"
USERS = ("clickstream_dashboards", "clickstream_reader", "clickstream_writer")
SCRIPT = """
import json, sys
from importlib import import_module

chdb = import_module("chdb._chdb")
directory, server, users, names = sys.argv[1:]
connection = chdb.connect(f"{directory}?config-file={server}&users_config={users}")


def rows(sql):
    return json.loads(connection.query(sql, "JSONCompact").bytes())["data"]


grants = {name: [row[0] for row in rows(f"SHOW GRANTS FOR {name}")] for name in names.split(",")}
known = [row[0] for row in rows("SELECT name FROM system.users ORDER BY name")]
columns = "profile_name, setting_name, value, min, max, writability"
profiles = rows(f"SELECT {columns} FROM system.settings_profile_elements")
quotas = rows("SELECT quota_name, duration, max_queries FROM system.quota_limits")
keys = rows("SELECT name, keys FROM system.quotas")
free = "SELECT name, value FROM system.merge_tree_settings WHERE name LIKE 'number_of_free_entries_in_pool%'"
found = {"grants": grants, "users": known, "profiles": profiles, "quotas": quotas, "quota_keys": keys}
changed = rows("SELECT name FROM system.settings WHERE value != default")
found |= {"free_entries": rows(free), "changed": [row[0] for row in changed]}
print(json.dumps(found))
"""


OWN_DEFAULTS = {
    "allow_introspection_functions": "only for those who own the data; readers may not change it",
    "database": "the gateway names one for each statement",
    "implicit_select": "the gateway sets a server's value",
    "materialize_statistics_on_insert": "no table has statistics",
    "output_format_arrow_use_native_writer": "the gateway sets a server's value",
    "storage_file_read_method": "for files, which nobody may read through SQL",
}
"""Settings whose default in chDB is not that of a server, and why that does not matter."""


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    """What the engine knows after it has read the files.

    The engine's own process signs in as `default`, which the server must not have: the test adds it.
    """
    directory = tmp_path_factory.mktemp("server")
    users = (FOLDER / "users.xml").read_text()
    assert '<default remove="remove"/>' in users
    own = (
        "<default><password></password><grants>"
        "<query>GRANT ALL ON *.* WITH GRANT OPTION</query></grants></default>"
    )
    users = users.replace('<default remove="remove"/>', own)
    (directory / "users.xml").write_text(users)
    # Without a server's own files beneath there is nothing to remove.
    server = re.sub(r'<\w+ remove="remove"/>', "", (FOLDER / "server.xml").read_text())
    (directory / "server.xml").write_text(server)
    arguments = (directory / "data", directory / "server.xml", directory / "users.xml", ",".join(USERS))
    passwords = {f"CLICKSTREAM_CLICKHOUSE__{name}_PASSWORD": "of-this-test" for name in ("WRITER", "READER")}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *map(str, arguments)],
        env={**os.environ, **passwords, "CLICKSTREAM_CLICKHOUSE__DASHBOARDS_PASSWORD": "of-this-test"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: Mapping[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_there_is_no_other_user(loaded: Mapping[str, Any]) -> None:
    assert loaded["users"] == [*USERS, "default"]


def test_nobody_reaches_outside_of_the_server(loaded: Mapping[str, Any]) -> None:
    outside = re.compile(
        r"SOURCES|\bREAD\b|\bWRITE\b|FILE|URL|REMOTE|S3|CREATE USER|CREATE ROLE|ROLE ADMIN|FUNCTION|SHUTDOWN"
        r"|GRANT OPTION|NAMED COLLECTION|IMPERSONATE"
    )

    assert [grant for name in USERS for grant in loaded["grants"][name] if outside.search(grant)] == []


def test_those_who_read_can_do_nothing_else(loaded: Mapping[str, Any]) -> None:
    for name in ("clickstream_reader", "clickstream_dashboards"):
        rights = {re.sub(r"\([^)]*\)", "", grant) for grant in loaded["grants"][name]}
        words = {word for grant in rights for word in grant[len("GRANT ") : grant.index(" ON ")].split(", ")}
        assert words <= {"SELECT", "SHOW", "dictGet"}


def test_superset_reads_what_the_gateway_lets_it_read(loaded: Mapping[str, Any]) -> None:
    declared = {normalised(grant) for grant in re.findall(r"^grant [^;]+", ACCESS.read_text(), re.MULTILINE)}
    found = {
        normalised(grant.removesuffix(" TO clickstream_dashboards"))
        for grant in loaded["grants"]["clickstream_dashboards"]
    }

    assert declared
    assert found == declared


def test_those_who_read_are_bounded(loaded: Mapping[str, Any]) -> None:
    bounds = {
        name: value for profile, name, value, *_ in loaded["profiles"] if profile == "clickstream_reading"
    }
    quotas = {name: queries for name, _, queries in loaded["quotas"]}

    assert bounds["readonly"] == "2"
    for name in ("max_execution_time", "max_memory_usage", "max_result_bytes"):
        assert int(bounds[name]) > 0
    assert quotas["clickstream_reading"] > 0


def constraints(path: Path, profile: str) -> dict[str, dict[str, str]]:
    """What a profile's settings may be changed to, by setting."""
    found = ElementTree.parse(path).getroot().find(f"profiles/{profile}/constraints")
    assert found is not None
    return {setting.tag: {bound.tag: bound.text or "" for bound in setting} for setting in found}


def test_those_who_read_may_change_their_limits_as_little_as_at_the_gateway() -> None:
    gateway = constraints(PROJECT_ROOT / "stack" / "gateway" / "access.xml", "reading")
    server = constraints(FOLDER / "users.xml", "clickstream_reading")
    # The container has less memory; statements at a time are counted by the gateway itself.
    for name in ("max_memory_usage", "max_concurrent_queries_for_user"):
        server.pop(name)
    gateway.pop("max_memory_usage")

    assert gateway
    assert server == gateway


def test_a_server_takes_parameters_as_large_as_the_gateway_takes(loaded: Mapping[str, Any]) -> None:
    """A server judges parameters by the profile `default`, since it does not know the user yet."""
    values = {name: value for profile, name, value, *_ in loaded["profiles"] if profile == "default"}

    assert int(values["http_max_field_value_size"]) == MAX_STATEMENT_BYTES[Account.WRITER]


def test_a_batch_of_the_pipelines_fits_into_a_parameter() -> None:
    [most] = [one.le for one in EtlSettings.model_fields["batch_rows"].metadata if hasattr(one, "le")]
    longest_id = len(f"{2**64 - 1},")

    assert most * longest_id < MAX_STATEMENT_BYTES[Account.WRITER]


def test_each_user_has_a_quota_of_its_own(loaded: Mapping[str, Any]) -> None:
    assert {name: keys for name, keys in loaded["quota_keys"] if name.startswith("clickstream_")} == {
        name: ["user_name"]
        for name in ("clickstream_dashboards", "clickstream_reading", "clickstream_writing")
    }


def test_the_pool_of_merges_is_large_enough_for_the_server_to_start(loaded: Mapping[str, Any]) -> None:
    """A server checks it when it starts, with its own defaults of 20 and 25; those of chDB are 0."""
    text = (FOLDER / "server.xml").read_text()
    size, ratio = (
        int(re.findall(rf"<{name}>(\d+)<", text)[0])
        for name in ("background_pool_size", "background_merges_mutations_concurrency_ratio")
    )
    free = {name: int(value) for name, value in loaded["free_entries"]}

    assert len(free) == 3
    assert all(0 < entries <= size * ratio for entries in free.values())


def test_the_engine_has_a_servers_defaults_but_for_known_ones(loaded: Mapping[str, Any]) -> None:
    of_our_profile = {name for profile, name, *_ in loaded["profiles"] if profile == "default"}

    assert set(loaded["changed"]) - of_our_profile == set(OWN_DEFAULTS)


def test_inserts_are_answered_when_they_are_written(loaded: Mapping[str, Any]) -> None:
    values = {
        name: value for profile, name, value, *_ in loaded["profiles"] if profile == "clickstream_writing"
    }

    assert values["async_insert"] == "0"


def normalised(grant: str) -> tuple[str, frozenset[str], str]:
    """A grant as its right, its columns and its table, however it is written."""
    right, columns, table = re.fullmatch(r"(?i)grant (\w+) ?(\([^)]*\))? on (\S+)", grant).groups()  # type: ignore[union-attr]
    names = frozenset((columns or "").strip("()").replace(" ", "").split(",")) - {""}
    return right.lower(), names, table.replace("{database}", "clickstream")
