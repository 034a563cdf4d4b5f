"""Databases: the one that the stack has, with the user that reads nothing but the datasets' views."""

from typing import Final
from urllib.parse import quote

from clickstream.settings import ClickHouseSettings
from dashboards.fields import Field, refuse_unknown, required, to_file, to_superset
from dashboards.files import Document
from dashboards.identity import asset_uuid

VERSION: Final = "1.0.0"

_FIELDS: Final = (
    Field("name", "database_name"),
    Field("cache_timeout", "cache_timeout"),
    Field("expose_in_sqllab", "expose_in_sqllab", False),
)
# A file cannot allow these: the user only reads, and Superset need not try anything else.
_CLOSED: Final = {
    "allow_run_async": False,
    "allow_ctas": False,
    "allow_cvas": False,
    "allow_dml": False,
    "allow_csv_upload": False,
    "impersonate_user": False,
}
_EXTRA: Final = {"allows_virtual_table_explore": True, "cancel_query_on_windows_unload": True}


def dashboards_uri(clickhouse: ClickHouseSettings) -> str:
    """SQLAlchemy's address of the warehouse, for the user of dashboards."""
    password = quote(clickhouse.dashboards_password.get_secret_value(), safe="")
    return (
        f"clickhousedb://{quote(clickhouse.dashboards_user, safe='')}:{password}"
        f"@{clickhouse.host}:{clickhouse.port}/{quote(clickhouse.database, safe='')}"
    )


def compile_database(slug: str, document: Document, uri: str) -> Document:
    """The database in Superset's form."""
    where = f"databases/{slug}.yaml"
    refuse_unknown(where, document, [field.name for field in _FIELDS])
    required(where, document, "name")
    return {
        **to_superset(_FIELDS, document),
        **_CLOSED,
        "sqlalchemy_uri": uri,
        "extra": dict(_EXTRA),
        "uuid": asset_uuid("databases", slug),
        "version": VERSION,
    }


def decompile_database(exported: Document) -> Document:
    """The database as a file has it, without its address."""
    return to_file(_FIELDS, exported)
