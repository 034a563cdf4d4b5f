"""Apache Superset's own configuration, for both ways to run the stack; Superset reads it at its start.

What differs between installations comes from the environment: SUPERSET_SECRET_KEY, SUPERSET_HOME,
SUPERSET_ALLOWED_HOSTS where people use other names than localhost, and SUPERSET_DATABASE_URI where the
metadata don't lie in a file there.
"""

import logging
import os
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from clickhouse_connect.cc_sqlalchemy.dialect import ClickHouseDialect
from clickhouse_connect.dbapi.connection import Connection
from clickhouse_connect.dbapi.cursor import Cursor
from clickhouse_connect.driver.exceptions import DatabaseError, OperationalError
from sqlalchemy import String, text
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.pool import QueuePool
from superset.errors import SupersetErrorType
from superset.utils.log import AbstractEventLogger

from dashboards.live.log_lines import JsonLogs

if TYPE_CHECKING:
    from flask import Flask, Response

# --- where things lie -------------------------------------------------------------------------------------
# Without a key Superset refuses to start; there is no default here on purpose.
SECRET_KEY = os.environ["SUPERSET_SECRET_KEY"]
_METADATA_FILE = Path(os.environ["SUPERSET_HOME"]) / "superset.db"
SQLALCHEMY_DATABASE_URI = os.environ.get(
    "SUPERSET_DATABASE_URI", f"sqlite:///{_METADATA_FILE}?check_same_thread=false&timeout=30"
)
# Connections stay open, one for each request at once: SQLAlchemy would open a file again for each, and SQLite
# read its whole schema again, an eighth of the CPU that a chart takes.
SQLALCHEMY_ENGINE_OPTIONS = {"poolclass": QueuePool, "max_overflow": -1}
# Requests are counted by the one process that there is.
RATELIMIT_STORAGE_URI = "memory://"

# --- what people see --------------------------------------------------------------------------------------
APP_NAME = "Clickstream"
_MARK = (
    "<path d='M4 2v17l4.6-4.3 2.9 6.5 2.9-1.3-2.8-6.3 6.2-.5z' fill='#2893b3'/>"
    "<path d='M14 5.5a8 8 0 0 1 4.5 4M15.5 2a12 12 0 0 1 6.5 6' fill='none' stroke='#2893b3' "
    "stroke-width='1.8'/>"
)
_SVG = "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width} 24'>{content}</svg>"
_NAME = (
    "<text x='30' y='18' font-family='Inter,Helvetica,Arial,sans-serif' font-size='17' font-weight='600' "
    "fill='#484848' textLength='96' lengthAdjust='spacingAndGlyphs'>Clickstream</text>"
)
_LOGO = "data:image/svg+xml," + quote(_SVG.format(width=130, content=_MARK + _NAME))
# Stands still: a dozen animations take a machine without a graphics card the time that the charts need.
_WAITING = _SVG.format(
    width=24,
    content="<g fill='#9fb3c0'><circle cx='5' cy='12' r='2'/><circle cx='12' cy='12' r='2'/>"
    "<circle cx='19' cy='12' r='2'/></g>",
)
FAVICONS = [{"href": "data:image/svg+xml," + quote(_SVG.format(width=24, content=_MARK))}]
# Superset's own colours, with another name; one theme, so that colours mean the same to everybody.
THEME_DEFAULT = {
    "token": {
        "brandAppName": APP_NAME,
        "brandLogoAlt": APP_NAME,
        "brandLogoUrl": _LOGO,
        "brandLogoMargin": "18px 0",
        "brandLogoHref": "/",
        "brandLogoHeight": "24px",
        "brandIconMaxWidth": 150,
        "brandSpinnerSvg": _WAITING,
        "colorPrimary": "#2893B3",
        "colorLink": "#2893B3",
        "colorError": "#e04355",
        "colorWarning": "#fcc700",
        "colorSuccess": "#5ac189",
        "colorInfo": "#66bcfe",
        "fontUrls": [],
        "fontFamily": "Inter, Helvetica, Arial, sans-serif",
        "fontFamilyCode": "'IBM Plex Mono', 'Courier New', monospace",
        "transitionTiming": 0.3,
        "fontSizeXS": "8",
        "fontSizeXXL": "28",
        "fontWeightNormal": "400",
        "fontWeightLight": "300",
        "fontWeightStrong": "500",
        "fontWeightBold": "700",
        "colorEditorSelection": "#fff5cf",
    },
    "algorithm": "default",
    "echartsOptionsOverrides": {
        # Charts appear as they are: a dozen that grow into their places, again at each refresh, take longer.
        "animation": False,
        # "All" and "Inv" take the place of names; a click on a name shows and hides its line as well.
        "legend": {"selector": False},
    },
}
THEME_DARK = None
ENABLE_UI_THEME_ADMINISTRATION = False
# Days are UTC on every chart, so "today" is, too.
os.environ["TZ"] = "UTC"
DEFAULT_RELATIVE_START_TIME = "today"
DEFAULT_RELATIVE_END_TIME = "today"

# --- who may do what --------------------------------------------------------------------------------------
PUBLIC_ROLE_LIKE = None
AUTH_USER_REGISTRATION = False
# Superset's own limit on sign-ins does nothing; `dashboards/live/sign_in.py` has one.
AUTH_RATE_LIMITED = False
RATELIMIT_ENABLED = True
# A dashboard alone sends some 20 requests at once, and a wall of them more.
RATELIMIT_APPLICATION = "200 per second"
WTF_CSRF_ENABLED = True
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
ENABLE_PROXY_FIX = False
ENABLE_CORS = False
FAB_API_SWAGGER_UI = False
# Superset reaches ClickHouse as the dashboards' user alone; files of this machine are not databases.
PREVENT_UNSAFE_DB_CONNECTIONS = True
DATASET_IMPORT_ALLOWED_DATA_URLS: list[str] = []
ALLOWED_EXTENSIONS: set[str] = set()

FEATURE_FLAGS = {
    "ALERT_REPORTS": False,
    "DASHBOARD_RBAC": False,
    "DRILL_BY": True,
    "DRILL_TO_DETAIL": True,
    "EMBEDDABLE_CHARTS": False,
    "EMBEDDED_SUPERSET": False,
    "ENABLE_JAVASCRIPT_CONTROLS": False,
    # Datasets hand filters on to views with parameters. Only who may edit datasets can write templates.
    "ENABLE_TEMPLATE_PROCESSING": True,
    "TAGGING_SYSTEM": False,
    "THUMBNAILS": False,
}

# --- nothing goes out, and nothing comes in from elsewhere ------------------------------------------------
MAPBOX_API_KEY = ""
SEND_FILE_MAX_AGE_DEFAULT = 31_536_000
THEME_FONT_URL_ALLOWED_DOMAINS: list[str] = []
# Pages on other ports of this machine count as the same site; they get no handle on a window of Superset.
OVERRIDE_HTTP_HEADERS = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
TALISMAN_ENABLED = True
TALISMAN_CONFIG = {
    "content_security_policy": {
        "base-uri": ["'self'"],
        "default-src": ["'self'"],
        "img-src": ["'self'", "blob:", "data:"],
        "worker-src": ["'self'", "blob:"],
        "connect-src": ["'self'"],
        "object-src": "'none'",
        "frame-ancestors": ["'self'"],
        "style-src": ["'self'", "'unsafe-inline'"],
        "font-src": ["'self'", "data:"],
        "script-src": ["'self'", "'strict-dynamic'"],
    },
    "content_security_policy_nonce_in": ["script-src"],
    "frame_options": "SAMEORIGIN",
    # The stack listens to this machine without TLS; a proxy that speaks it sets the rest.
    "force_https": False,
    "session_cookie_secure": False,
}


# --- values in statements ---------------------------------------------------------------------------------
def _literal(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


class _EscapedString(String):
    """Text in a statement.

    SQLAlchemy doubles quotes alone, but in ClickHouse a backslash escapes as well: a filter's value with one
    could go on as SQL. clickhouse-connect (`format_str`) puts a backslash before tabs and line breaks, too,
    which ClickHouse takes for two characters; as they are they stand for themselves.
    """

    def literal_processor(self, dialect: Dialect) -> Callable[[str], str]:
        del dialect
        return _literal


ClickHouseDialect.colspecs = {**ClickHouseDialect.colspecs, String: _EscapedString}


# --- a database that is away ------------------------------------------------------------------------------
_IS_AWAY = (
    "The database does not answer. It may be starting: try again in a minute. `make status` tells more."
)
_AWAY = re.compile(r"HTTPConnectionPool|Connection refused|RemoteDisconnected|Read timed out|does not answer")
_ADDRESS = re.compile(r" \(for url [^)]*\)")
# What people read in place of a chart, by what the client library says.
CUSTOM_DATABASE_ERRORS = {
    "Clickstream": {_AWAY: (_IS_AWAY, SupersetErrorType.GENERIC_DB_ENGINE_ERROR, {"show_issue_info": False})}
}


# --- connections ------------------------------------------------------------------------------------------
class _Cursor(Cursor):
    """Says in a sentence that the database is away, and keeps its address out of what people read."""

    def execute(self, operation: str, parameters: Any = None) -> None:
        """Run a statement."""
        try:
            super().execute(operation, parameters)
        except DatabaseError as error:
            if isinstance(error, OperationalError) and _AWAY.search(str(error)):
                raise OperationalError(_IS_AWAY) from error
            error.args = (_ADDRESS.sub("", str(error)),)
            raise


class _LastingConnection(Connection):
    """One for all threads, which stays open.

    Superset connects three times for each chart, and clickhouse-connect asks for the server's version and
    all of its settings each time: that was a third of what a chart took. Without a session a connection
    takes any number of statements at once.
    """

    def close(self) -> None:
        """Nothing: the next chart uses it again."""

    def cursor(self) -> _Cursor:
        """A cursor on the one connection."""
        return _Cursor(self.client)


_lasting_connection = cache(_LastingConnection)


def _connect(dialect: ClickHouseDialect, **parameters: object) -> _LastingConnection:
    del dialect
    try:
        return _lasting_connection(**parameters, autogenerate_session_id=False)
    except OperationalError as error:
        raise OperationalError(_IS_AWAY) from error


ClickHouseDialect.connect = _connect

# --- limits -----------------------------------------------------------------------------------------------
ROW_LIMIT = 10_000
SQL_MAX_ROW = 50_000
FILTER_SELECT_ROW_LIMIT = 1_000
NATIVE_FILTER_DEFAULT_ROW_LIMIT = 1_000
SUPERSET_WEBSERVER_TIMEOUT = 60
SUPERSET_DASHBOARD_POSITION_DATA_LIMIT = 262_144

# Data change by the minute; who looks at the same within half of one asks the database once.
_MEMORY_CACHE: dict[str, Any] = {
    "CACHE_TYPE": "SimpleCache",
    "CACHE_DEFAULT_TIMEOUT": 30,
    "CACHE_THRESHOLD": 500,
}
DATA_CACHE_CONFIG = {**_MEMORY_CACHE, "CACHE_KEY_PREFIX": "data_"}
CACHE_CONFIG = {**_MEMORY_CACHE, "CACHE_KEY_PREFIX": "objects_"}

ALEMBIC_SKIP_LOG_CONFIG = True


def _add_routes(app: "Flask") -> None:
    """Lead people who sign in to the dashboards, and say whether the metadata can be read and written.

    Superset's own first page lists what one has edited last, and its `/health` asks nothing.
    """
    from flask import redirect, request  # noqa: PLC0415 -- only Superset's environment has it

    from dashboards.live.metadata import WriteCheck  # noqa: PLC0415

    writes = WriteCheck(_METADATA_FILE)

    @app.before_request
    def lead_to_dashboards() -> "Response | None":
        return redirect("/dashboard/list/") if request.path in ("/", "/superset/welcome/") else None

    @app.route("/health/metadata")
    def check_metadata() -> tuple[str, int, dict[str, str]]:
        from superset.extensions import db  # noqa: PLC0415 -- can be imported once there is an application

        db.session.execute(text("select count(*) from ab_user")).scalar_one()
        is_file = db.engine.url.database == str(_METADATA_FILE)
        problem = writes.problem() if is_file else None
        headers = {"Content-Type": "text/plain", "Cache-Control": "no-store"}
        return (problem, 503, headers) if problem else ("OK", 200, headers)


def _hold_doors(app: "Flask") -> None:
    """Give the application its first page, and its access checks."""
    # Superset's modules can be imported once there is an application.
    from dashboards.live.host_names import refuse_unknown_hosts  # noqa: PLC0415
    from dashboards.live.origins import refuse_other_sites  # noqa: PLC0415
    from dashboards.live.phones import suit_phones  # noqa: PLC0415
    from dashboards.live.sign_in import limit_sign_ins  # noqa: PLC0415
    from dashboards.live.time_ranges import explain_wrong_ranges  # noqa: PLC0415
    from dashboards.live.viewers import hold_viewers  # noqa: PLC0415

    _add_routes(app)
    limit_sign_ins(app)
    hold_viewers(app)
    suit_phones(app)
    explain_wrong_ranges()
    # Each of these two comes before all that was put in above.
    refuse_other_sites(app)
    refuse_unknown_hosts(app, os.environ.get("SUPERSET_ALLOWED_HOSTS", "localhost"))


FLASK_APP_MUTATOR = _hold_doors


class _NoEventLogger(AbstractEventLogger):
    """Does not record who looked at what; Superset's own log would grow by a row for each chart shown."""

    def log(self, *args: object, **kwargs: object) -> None:
        """Nothing."""


EVENT_LOGGER = _NoEventLogger()

# --- the log ----------------------------------------------------------------------------------------------
LOGGING_CONFIGURATOR = JsonLogs()
# It misses a picture that is not part of the package, once a page.
logging.getLogger("superset.views.base").setLevel(logging.ERROR)
for _name in ("flask_appbuilder", "alembic", "werkzeug", "flask_limiter"):
    logging.getLogger(_name).setLevel(logging.WARNING)
