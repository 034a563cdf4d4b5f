"""Answers a wrong time range with what is wrong with it.

Superset 6.1 reads a range in many places and expects only some of the errors. A range that ends before it
begins, or an address that holds none, would be an internal error (status 500).
"""

from collections.abc import Callable
from typing import Any

from superset.common.query_context_factory import QueryContextFactory
from superset.exceptions import QueryObjectValidationError
from superset.views.api import Api, get_time_range_schema


def explain_wrong_ranges() -> None:
    """Make a wrong range a wrong request (status 400), in queries and at `/api/v1/time_range/`."""
    create: Callable[..., Any] = QueryContextFactory.create

    def create_explained(factory: QueryContextFactory, **parts: Any) -> Any:
        try:
            return create(factory, **parts)
        except ValueError as error:
            raise QueryObjectValidationError(f"The request cannot be read: {error}.") from error

    def response_400(view: Api, message: str) -> Any:
        return view.json_response({"message": message}, 400)

    QueryContextFactory.create = create_explained
    # The address checks what it gets against this object, and refuses it by a method that its class lacks.
    get_time_range_schema["items"]["required"] = ["timeRange"]
    Api.response_400 = response_400
