"""Downloads of what jobs have written, straight from disk."""

from pathlib import Path
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response

from clickstream.errors import BadInputError
from control_panel import jobs
from control_panel.accounts import Role
from control_panel.guard import account_in
from control_panel.jobs import JobStatus
from control_panel.work import DIFFERENCES_FILE, EVENTS_FILE
from generator.plan import DatasetFiles

_FILES: Final = DatasetFiles.beside(Path(EVENTS_FILE))
_SHOWN_TO: Final = {
    _FILES.events.name: Role.OPERATOR,
    _FILES.users.name: Role.OPERATOR,
    _FILES.key.name: Role.VIEWER,
    DIFFERENCES_FILE: Role.VIEWER,
}
"""The events hold addresses, and the users names."""


async def download(request: Request) -> Response:
    """A file of a job that is done."""
    name = request.path_params["name"]
    needed = _SHOWN_TO.get(name)
    if needed is None:
        return JSONResponse(
            {"error": f"Jobs have no file {name[:40]!r}; they have {', '.join(_SHOWN_TO)}."}, 404
        )
    if needed is Role.OPERATOR and not account_in(request.scope).is_operator:
        return JSONResponse({"error": "The file holds personal data; sign in as an operator."}, 403)
    try:
        job = await run_in_threadpool(jobs.get_job, request.path_params["job_id"])
    except BadInputError as error:
        return JSONResponse({"error": f"{error} {error.hint}"}, 404)
    path = job.folder / name
    if job.state.status is not JobStatus.DONE or not path.is_file():
        return JSONResponse({"error": f"The job has not written {name}; it is {job.state.status}."}, 404)
    return FileResponse(path, filename=f"{job.id[:4]}-{name}")
