"""Shows dashboards on phones: Superset 6.1 squeezes the rows of a desktop into any window, however narrow.

The pages' head (`superset/templates/head_custom_extra.html`) sets a cookie if the window is narrow, and the
layout is answered accordingly. People who may edit dashboards always get the real layout, since they could
save the other one.
"""

import json
from typing import TYPE_CHECKING, Final

from flask import Response, request
from jinja2 import ChoiceLoader, FileSystemLoader
from superset import security_manager

from clickstream.settings import PROJECT_ROOT
from dashboards.phone import NARROW_COOKIE, stacked

if TYPE_CHECKING:
    from flask import Flask

_LAYOUT_VIEW: Final = "DashboardRestApi.get"
_TEMPLATES: Final = PROJECT_ROOT / "superset" / "templates"


def suit_phones(app: "Flask") -> None:
    """Add our part to the head of the pages, and answer with another layout where a window is narrow."""
    app.jinja_loader = ChoiceLoader([FileSystemLoader(_TEMPLATES), app.jinja_loader])
    app.after_request(_suit_phone)


def _suit_phone(response: Response) -> Response:
    is_layout = request.endpoint == _LAYOUT_VIEW and response.status_code == 200
    if not is_layout or request.cookies.get(NARROW_COOKIE) != "1":
        return response
    if security_manager.can_access("can_write", "Dashboard"):
        return response
    body = response.get_json()
    position = body["result"].get("position_json")
    if position:
        body["result"]["position_json"] = json.dumps(stacked(json.loads(position)))
        response.set_data(json.dumps(body))
    return response
