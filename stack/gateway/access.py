"""What the engine's roles may do: `access.xml`, completed with the names of this installation."""

from importlib import resources
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape

from clickstream.storage.sql import load_sql, split_statements

_TEMPLATE: Final = "access.xml"
_GRANT: Final = "<query>{dashboards_grant}</query>"


def dashboards_grants(database: str) -> list[str]:
    """The grants of the dashboards' account, one per view.

    Args:
        database: The database of the views.
    """
    name = database.replace("\\", "\\\\").replace("`", "\\`")
    statements = split_statements(load_sql("access/dashboards"))
    return [
        " ".join(line for line in statement.splitlines() if line and not line.startswith("--")).replace(
            "{database}", f"`{name}`"
        )
        for statement in statements
    ]


def prepare_access(directory: Path, database: str) -> Path:
    """Write the roles for the engine; the file's path.

    It lies beside the data directory, not in it: the engine reads it again when it changes, and must not be
    able to change it.

    Args:
        directory: The data directory.
        database: The database whose views the dashboards' account may read.
    """
    template = (resources.files("stack.gateway") / _TEMPLATE).read_text(encoding="utf-8")
    grants = "\n                ".join(
        f"<query>{escape(grant)}</query>" for grant in dashboards_grants(database)
    )
    target = directory.with_name(f"{directory.name}_{_TEMPLATE}")
    target.write_text(template.replace(_GRANT, grants), encoding="utf-8")
    return target
