"""Who may ask Mage's server for what: the rules, apart from the server that applies them (`guard.py`).

Everything needs a session but the sign-in page, its files and the little that this page asks for. Browsers
are let in from Mage's own pages only, and only under names of this server, so that no other page can use a
session, or reach the server through a name of its own that it points here (DNS rebinding).
"""

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qs, urlsplit

from serving.origins import comes_from_own_pages

SIGN_IN_PAGE: Final = "/sign-in"
SIGN_IN_PATH: Final = "/api/sessions"
STATUS_PATH: Final = r"/api/status(?:es)?"

_PUBLIC_FILES: Final = re.compile(r"/(_next/static|fonts|images)/.+|/favicon\.ico")
_FOR_PROGRAMS: Final = ("/api/", "/websocket/", "/event-streams/")
_READING: Final = frozenset({"GET", "HEAD"})

# Nobody needs them here: they start pipelines for a token or for nothing, run code, look for files anywhere,
# or sign people in by other sites' accounts.
_GONE_PATHS: Final = re.compile(
    r"/websocket/terminal|/terminal"
    r"|/api/pipeline_schedules/[^/]+/api_trigger"
)
_GONE_RESOURCES: Final = frozenset(
    {
        "browseritem",
        "codeexecution",
        "download",
        "event",
        "eventmatcher",
        "eventrule",
        "oauth",
        "oauthaccesstoken",
        "run",
    }
)
"""As `_resource` spells them."""

# The trigger's token as part of the address; a GET of such an address is a run's page.
_TOKEN_TRIGGER: Final = re.compile(r"/api/pipeline_schedules/[^/]+/pipeline_runs/[^/]+")


class Need(StrEnum):
    """What a request needs once it has come through the door."""

    NOTHING = "nothing"
    SESSION = "session"


@dataclass(frozen=True)
class Refusal:
    """Why a request is turned away."""

    status: HTTPStatus
    message: str


@dataclass(frozen=True)
class Visit:
    """What a request says of itself.

    Attributes:
        method: GET, POST and so on.
        path: As it was sent, without the query.
        query: The rest of the address.
        headers: By their names in lower case.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]

    @property
    def host(self) -> str:
        """The server's name and port as the sender knows them."""
        return self.headers.get("host", "")

    @property
    def is_for_people(self) -> bool:
        """Whether a person waits for a page, and can be led to the sign-in."""
        return self.method in _READING and not self.path.startswith(
            ("/api/", "/websocket/", "/event-streams/")
        )


def judge(visit: Visit, allowed_hosts: frozenset[str]) -> Need | Refusal:
    """What the request needs, or why it is refused.

    Args:
        visit: The request.
        allowed_hosts: Names under which the server may be called, in lower case; `*` for any. Addresses in
            numbers are always allowed: nobody can make such a name point elsewhere.
    """
    if not _is_known_host(visit.host, allowed_hosts):
        return Refusal(
            HTTPStatus.MISDIRECTED_REQUEST,
            f"This server is not known as {visit.host[:80]!r}; add the name to "
            "CLICKSTREAM_MAGE__ALLOWED_HOSTS if it is right.",
        )
    if not comes_from_own_pages(visit.headers, is_page=visit.is_for_people):
        return Refusal(HTTPStatus.FORBIDDEN, "Pages of other sites may not use this server.")
    if _is_gone(visit):
        return Refusal(HTTPStatus.NOT_FOUND, f"There is no {visit.method} {visit.path[:80]} here.")
    if visit.path == SIGN_IN_PAGE and not _leads_to_own_page(visit.query):
        return Refusal(
            HTTPStatus.BAD_REQUEST, "The page to go to after signing in must be one of this server."
        )
    return Need.NOTHING if _is_public(visit) else Need.SESSION


def _is_known_host(host: str, allowed_hosts: frozenset[str]) -> bool:
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return False
    if "*" in allowed_hosts or name in allowed_hosts:
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _is_gone(visit: Visit) -> bool:
    segments = visit.path.split("/")
    resources = set(map(_resource, segments[2:5:2])) if segments[1:2] == ["api"] else set()
    return bool(
        _GONE_PATHS.fullmatch(visit.path)
        or resources & _GONE_RESOURCES
        or (visit.method == "POST" and _TOKEN_TRIGGER.fullmatch(visit.path))
    )


def _resource(segment: str) -> str:
    """One spelling for all that Mage takes for the same resource: singular or plural, any case, more `_`."""
    return segment.replace("_", "").lower().removesuffix("s")


def _leads_to_own_page(query: str) -> bool:
    pages = parse_qs(query, keep_blank_values=True).get("redirect_url", [])
    return all(re.fullmatch(r"/(?![/\\])[\x21-\x7e]*", page) for page in pages)


def _is_public(visit: Visit) -> bool:
    if visit.method == "POST":
        return visit.path == SIGN_IN_PATH
    if visit.method not in _READING:
        return False
    return bool(
        visit.path == SIGN_IN_PAGE
        or _PUBLIC_FILES.fullmatch(visit.path)
        or re.fullmatch(STATUS_PATH, visit.path)
    )
