"""Apache Superset's own configuration, for both ways to run the stack; Superset reads it at its start.

What differs between installations comes from the environment: SUPERSET_SECRET_KEY, SUPERSET_HOME, and
SUPERSET_DATABASE_URI where the metadata don't lie in a file there.
"""

import logging
import os
from pathlib import Path
from typing import Any

# --- where things lie -------------------------------------------------------------------------------------
# Without a key Superset refuses to start; there is no default here on purpose.
SECRET_KEY = os.environ["SUPERSET_SECRET_KEY"]
_METADATA_FILE = Path(os.environ["SUPERSET_HOME"]) / "superset.db"
SQLALCHEMY_DATABASE_URI = os.environ.get(
    "SUPERSET_DATABASE_URI", f"sqlite:///{_METADATA_FILE}?check_same_thread=false&timeout=30"
)
# Sign-ins are counted by the one process that there is.
RATELIMIT_STORAGE_URI = "memory://"

# --- what people see --------------------------------------------------------------------------------------
APP_NAME = "Clickstream"
LOGO_TARGET_PATH = "/dashboard/list/"
LOGO_TOOLTIP = "Dashboards"
# Days are UTC on every chart, so "today" is, too.
os.environ["TZ"] = "UTC"
DEFAULT_RELATIVE_START_TIME = "today"
DEFAULT_RELATIVE_END_TIME = "today"

# --- who may do what --------------------------------------------------------------------------------------
PUBLIC_ROLE_LIKE = None
AUTH_USER_REGISTRATION = False
AUTH_RATE_LIMITED = True
AUTH_RATE_LIMIT = "5 per second"
RATELIMIT_ENABLED = True
# A dashboard alone sends some 20 requests at once, and a wall of them more.
RATELIMIT_APPLICATION = "200 per second"
WTF_CSRF_ENABLED = True
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
ENABLE_PROXY_FIX = False
ENABLE_CORS = False
FAB_API_SWAGGER_UI = False
# Anything that Superset can reach is reached with the reading user; files of this machine are no database.
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
    "ENABLE_TEMPLATE_PROCESSING": False,
    "TAGGING_SYSTEM": False,
    "THUMBNAILS": False,
}

# --- nothing goes out, and nothing comes in from elsewhere ------------------------------------------------
MAPBOX_API_KEY = ""
SEND_FILE_MAX_AGE_DEFAULT = 31_536_000
THEME_FONT_URL_ALLOWED_DOMAINS: list[str] = []
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

# --- the log ----------------------------------------------------------------------------------------------
# Warnings only: at INFO it names who asks for what.
LOG_LEVEL = logging.WARNING
for _name in ("flask_appbuilder", "alembic", "werkzeug", "flask_limiter"):
    logging.getLogger(_name).setLevel(logging.WARNING)
