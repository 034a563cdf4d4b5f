"""All SQL of the warehouse, run with the rights of the server's users.

`python -m tests.integration.compose.warehouse_sql DIRECTORY` runs it on an engine of its own in a directory.
The engine (chDB) lets nobody sign in, so each user of `compose/clickhouse/users.xml` becomes a role with the
same grants. What the engine refuses is printed as JSON: the reason by role and name of the statement.
"""

import json
import re
import sys
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, cast
from xml.etree import ElementTree

from clickhouse_connect.driver.client import Client

from clickstream.settings import PROJECT_ROOT
from clickstream.storage.marts import MARTS, SUMMARIES
from clickstream.storage.sql import list_names, load_sql, split_statements
from clickstream.storage.views import SEGMENT_VIEWS, VIEWS, make_views

USERS = PROJECT_ROOT / "compose" / "clickhouse" / "users.xml"
READ = {"writer": ("queries", "checks"), "reader": ("checks", "panel", "metrics", "reports")}
"""The folders of statements with results, by the role that runs them."""


class Engine:
    """A connection to the engine that notes what is refused."""

    def __init__(self, directory: Path) -> None:
        users = directory / "users.xml"
        users.write_text(_users())
        server = directory / "server.xml"
        server.write_text("<clickhouse/>")
        target = f"{directory / 'data'}?config-file={server}&users_config={users}"
        self._connection: Any = import_module("chdb._chdb").connect(target)
        self.refused: dict[str, str] = {}
        self._role = ""

    def become(self, role: str) -> None:
        """Take a role, and no other."""
        self._role = role
        self._connection.query(f"set role server_{role}", "TSV")

    def run(self, name: str, statement: str, **parameters: str) -> None:
        """Run a statement of this name."""
        try:
            self._connection.query(statement, "TSV", params=parameters)
        except RuntimeError as error:
            self.refused[f"{self._role}: {name}"] = str(error)

    def command(self, statement: str) -> None:
        """Run a statement of the project's code, which takes this for its client."""
        self.run(statement, statement)


def _users() -> str:
    found = ElementTree.parse(USERS).getroot().find("users")
    assert found is not None
    roles = {user.tag.removeprefix("clickstream_"): user.find("grants") for user in found}
    grants = {
        name: "".join(ElementTree.tostring(query, encoding="unicode") for query in element)
        for name, element in roles.items()
        if element is not None
    }
    declared = "".join(
        f"<server_{name}><grants>{queries}</grants></server_{name}>" for name, queries in grants.items()
    )
    own = "".join(f"<query>GRANT server_{name}</query>" for name in grants)
    return (
        f"<clickhouse><roles>{declared}</roles><users><default><password/><networks><ip>::/0</ip></networks>"
        f"<profile>default</profile><quota>default</quota><grants>{own}</grants></default></users>"
        "<profiles><default/></profiles><quotas><default/></quotas></clickhouse>"
    )


def parameters_of(statement: str) -> Mapping[str, str]:
    """A value for each parameter, of its type."""
    values = {"Identifier": "raw_events", "Array": "[]", "Date": "2025-01-01", "Nullable": "\\N"}
    values |= dict.fromkeys(("UInt", "Int", "Float"), "1")
    return {
        name: next((value for start, value in values.items() if kind.startswith(start)), "x")
        for name, kind in re.findall(r"\{(\w+): ?(\w+)", statement)
    }


def setting_up() -> Iterator[tuple[str, str]]:
    """What `clickstream.storage.migrations` runs, but for the views."""
    yield "database", "create database if not exists clickstream"
    yield "use", "use clickstream"
    yield "schema_migrations", load_sql("queries/create_schema_migrations")
    for name in list_names("migrations"):
        for number, statement in enumerate(split_statements(load_sql(f"migrations/{name}"))):
            yield f"{name}[{number}]", statement


def writing() -> Iterator[tuple[str, str]]:
    """What the pipelines and an erasure run that gives no result."""
    for folder, names in (("marts", MARTS), ("summaries", SUMMARIES)):
        for name in names:
            yield f"truncate {name}", f"truncate table {name}_staging"
            yield f"fill {name}", f"insert into {name}_staging {load_sql(f'{folder}/{name}')}"
            yield f"drop a day of {name}", f"alter table {name} drop partition all"
    allowed = "settings allow_replace_partition_from_empty_source = 1"
    swap = "replace partition '2025-01-01' from daily_users_staging"
    yield "swap a day in", f"alter table daily_users {swap} {allowed}"
    yield "erased users", "create table erased_user_now (id UInt64) engine = Memory"
    yield "erase", "alter table users delete where id in (select id from erased_user_now)"
    yield "forget", "drop table if exists erased_user_now"


def main(directory: Path) -> None:
    """Run everything."""
    engine = Engine(directory)
    engine.become("writer")
    for name, statement in setting_up():
        engine.run(name, statement)
    make_views(cast(Client, engine))
    for name, statement in writing():
        engine.run(name, statement, **parameters_of(statement))
    for role, folders in READ.items():
        engine.become(role)
        for folder in folders:
            for name in list_names(folder):
                statement = load_sql(f"{folder}/{name}")
                engine.run(f"{folder}/{name}", statement, **parameters_of(statement))
    engine.become("reader")
    for view in VIEWS:
        engine.run(view, f"select * from {view}")
    segments = "sites = [], device_types = [], countries = [], first_date = '2025-01-01'"
    own = {"last_full_day_of": "sites = [], pages = [], first_date = '2025-01-01'"}
    for view in SEGMENT_VIEWS:
        engine.run(view, f"select count() from {view}({own.get(view, segments)})")
    sys.stdout.write(json.dumps(engine.refused))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
