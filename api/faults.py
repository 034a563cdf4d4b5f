"""How refusals become answers, those of the framework among them."""

from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from api import metrics
from api.refusals import Refusal, RefusalBody, RefusalCode


def register(app: FastAPI) -> None:
    """Lets the application answer refusals in one form."""
    app.add_exception_handler(Refusal, _refuse)
    app.add_exception_handler(HTTPException, _refuse_by_framework)


async def _refuse(_: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)  # noqa: S101 -- registered for it alone
    metrics.REFUSALS[error.body.code].inc()
    return error.response()


async def _refuse_by_framework(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 -- registered for it alone
    if error.status_code == 405:
        body = RefusalBody(RefusalCode.METHOD_NOT_ALLOWED, "This address does not take this method.")
    else:
        body = RefusalBody(RefusalCode.NOT_FOUND, "This address does not exist; /docs lists those that do.")
    return await _refuse(request, Refusal(body, error.headers))
