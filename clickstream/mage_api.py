"""Starts Mage's pipelines and follows their runs through the API of the Mage server.

A pipeline is started by its trigger `on_request`, which is code (`mage_project/pipelines/*/triggers.yaml`).
Mage answers with status 200 also when it refuses; the refusal is in the body.
"""

import time
from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum
from types import TracebackType
from typing import Any, Final, Self

import httpx
import msgspec

from clickstream.errors import ClickstreamError, ServiceUnavailableError
from clickstream.settings import MageSettings, required_secret

TRIGGER: Final = "on_request"

# The client id of Mage's own web page. It is public and the same for every Mage server.
PUBLIC_API_KEY: Final = "zkWlN0PkIKSN0C11CfUHUj84OT5XOJ6tDZ6bDRO2"

# Codes in the body of a refusal: the session is over; there is no such thing; too many sign-ins have failed.
SIGNED_OUT: Final = 401
NOT_FOUND: Final = 404
TOO_MANY_SIGN_INS: Final = 429

POLL_SECONDS: Final = 0.25
REQUEST_TIMEOUT_SECONDS: Final = 30.0
LOG_LINES_SHOWN: Final = 5


class MageApiError(ClickstreamError):
    """Mage refused a request."""


class RunFailedError(ClickstreamError):
    """A pipeline's run ended without success."""


class RunTimeoutError(ClickstreamError):
    """A pipeline's run did not end in time; it goes on."""


class RunStatus(StrEnum):
    """What may be the matter with a run, or with a block of it."""

    INITIAL = "initial"
    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    UPSTREAM_FAILED = "upstream_failed"
    CONDITION_FAILED = "condition_failed"
    CANCELLED = "cancelled"


ENDED: Final = frozenset({RunStatus.COMPLETED, RunStatus.FAILED, RunStatus.CANCELLED})


class BlockRun(msgspec.Struct, frozen=True):
    """One block of one run. Times are UTC, without saying so, as Mage gives them."""

    id: int
    name: str = msgspec.field(name="block_uuid")
    status: RunStatus
    started_at: datetime | None
    completed_at: datetime | None


class PipelineRun(msgspec.Struct, frozen=True):
    """One run of one pipeline; `blocks` is empty until it starts, then in the order of the pipeline."""

    id: int
    pipeline: str = msgspec.field(name="pipeline_uuid")
    status: RunStatus
    started_at: datetime | None
    completed_at: datetime | None
    blocks: tuple[BlockRun, ...] = msgspec.field(name="block_runs", default=())

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen in it."""
        return self.status in ENDED

    @property
    def current_block(self) -> str:
        """The block that runs or failed; empty while none does."""
        busy = {RunStatus.RUNNING, RunStatus.FAILED}
        return next((block.name for block in self.blocks if block.status in busy), "")


class Trigger(msgspec.Struct, frozen=True):
    """What starts a pipeline: a schedule, or a request.

    Attributes:
        id: Mage's id of it.
        name: Its name within the pipeline.
        kind: `time` for a schedule, `api` for requests.
        interval: When a schedule is due, as cron writes it or as `@hourly`; None for requests.
        status: `active`, or `inactive` while it is paused.
        next_run_at: When a schedule is due next; UTC, without saying so.
    """

    id: int
    name: str
    kind: str = msgspec.field(name="schedule_type")
    interval: str | None = msgspec.field(name="schedule_interval", default=None)
    status: str = "inactive"
    next_run_at: datetime | None = msgspec.field(name="next_pipeline_run_date", default=None)

    @property
    def is_schedule(self) -> bool:
        """Whether it starts the pipeline by itself."""
        return self.kind == "time"

    @property
    def is_active(self) -> bool:
        """Whether it is not paused."""
        return self.status == "active"


class LogLine(msgspec.Struct, frozen=True):
    """One line that a block wrote, or Mage about it."""

    level: str
    message: str
    error_stacktrace: str = ""


class MageClient:
    """A session of the owner with the Mage server; signs in when it is first needed.

    Every method raises `ServiceUnavailableError` if Mage does not answer and `MageApiError` if it refuses.
    """

    def __init__(self, settings: MageSettings) -> None:
        self._settings = settings
        self._address = f"http://{settings.host}:{settings.port}"
        self._http = httpx.Client(
            base_url=f"{self._address}/api",
            headers={"X-API-KEY": PUBLIC_API_KEY},
            timeout=REQUEST_TIMEOUT_SECONDS,
            trust_env=False,
        )
        self._trigger_ids: dict[str, int] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def pipeline(self, name: str) -> dict[str, Any]:
        """The pipeline as Mage has read it, with its blocks and their code."""
        pipeline: dict[str, Any] = self._request("GET", f"/pipelines/{name}")["pipeline"]
        return pipeline

    def pipeline_names(self) -> list[str]:
        """The names of all pipelines."""
        return sorted(str(one["uuid"]) for one in self._request("GET", "/pipelines")["pipelines"])

    def triggers(self, pipeline: str) -> list[Trigger]:
        """What starts the pipeline."""
        answer = self._request("GET", f"/pipelines/{pipeline}/pipeline_schedules")
        return msgspec.convert(answer["pipeline_schedules"], list[Trigger], strict=False)

    def set_active(self, trigger_id: int, *, active: bool) -> None:
        """Resume or pause a trigger. Mage writes that to the pipeline's `triggers.yaml`."""
        status = "active" if active else "inactive"
        body = {"pipeline_schedule": {"id": trigger_id, "status": status}}
        self._request("PUT", f"/pipeline_schedules/{trigger_id}", json=body)

    def runs(self, pipeline: str, limit: int) -> list[PipelineRun]:
        """The latest runs of the pipeline with their blocks, the latest first."""
        parameters = {"pipeline_uuid": pipeline, "_limit": limit, "_offset": 0}
        answer = self._request("GET", "/pipeline_runs", params=parameters)
        found = msgspec.convert(answer["pipeline_runs"], list[PipelineRun])
        return sorted(found, key=lambda run: -run.id)

    def trigger(self, pipeline: str, variables: Mapping[str, str] | None = None) -> int:
        """Ask Mage to run the pipeline with these variables; gives the run's id.

        The run starts within about a second, or when the pipeline's earlier runs have ended.
        """
        answer = self._request(
            "POST",
            f"/pipeline_schedules/{self._trigger_id(pipeline)}/pipeline_runs",
            json={"pipeline_run": {"variables": dict(variables or {})}},
        )
        return msgspec.convert(answer["pipeline_run"], PipelineRun).id

    def run_status(self, run_id: int) -> PipelineRun:
        """How the run stands."""
        answer = self._request("GET", f"/pipeline_runs/{run_id}")
        return msgspec.convert(answer["pipeline_run"], PipelineRun)

    def cancel(self, run_id: int) -> None:
        """End the run. Mage kills the process that runs it; a run that has ended stays as it is."""
        body = {"pipeline_run": {"id": run_id, "status": RunStatus.CANCELLED.value}}
        self._request("PUT", f"/pipeline_runs/{run_id}", json=body)

    def wait(
        self,
        run_id: int,
        on_update: Callable[[PipelineRun], None] | None = None,
        on_poll: Callable[[], None] | None = None,
        timeout_seconds: float = 3600.0,
    ) -> PipelineRun:
        """Wait until the run has succeeded.

        `on_update` is called whenever it has got further, `on_poll` at each look while it runs.

        Raises:
            RunFailedError: It failed or was cancelled; says in which block and with what error.
            RunTimeoutError: It has not ended in time.
        """
        deadline = time.monotonic() + timeout_seconds
        seen: PipelineRun | None = None
        while True:
            run = self.run_status(run_id)
            if run != seen and on_update is not None:
                on_update(run)
            if on_poll is not None and run.status == RunStatus.RUNNING:
                on_poll()
            seen = run
            if run.status == RunStatus.COMPLETED:
                return run
            if run.ended:
                raise self._failure(run)
            if time.monotonic() > deadline:
                at = f" in block {run.current_block}" if run.current_block else ""
                raise RunTimeoutError(
                    f"Run {run_id} of {run.pipeline} has not ended after {timeout_seconds:g} s: "
                    f"it is {run.status}{at}.",
                    hint=f"It goes on; see {self._runs_page(run)}.",
                )
            time.sleep(POLL_SECONDS)

    def result(self, run: PipelineRun) -> dict[str, Any]:
        """What the last block of an ended run returned. Mage cuts lists in it to their first 20 items."""
        answer = self._request("GET", f"/block_runs/{run.blocks[-1].id}/outputs")
        tables = [output["sample_data"] for output in answer["outputs"] if output.get("sample_data")]
        return dict(zip(tables[0]["columns"], tables[0]["rows"][0], strict=True)) if tables else {}

    def log_lines(self, run: PipelineRun) -> dict[str, list[LogLine]]:
        """The lines of the run's log by block, oldest first."""
        lines: dict[str, list[LogLine]] = {}
        answer = self._request("GET", f"/pipelines/{run.pipeline}/logs", params={"pipeline_run_id[]": run.id})
        for file in answer["logs"][0]["block_run_logs"]:
            block = str(file["name"]).partition(".log")[0]
            lines[block] = [read_log_line(line) for line in str(file["content"]).splitlines()]
        return lines

    def failure(self, run: PipelineRun) -> tuple[str, list[str]]:
        """The block in which a run failed, and the last lines of its error; an empty name if none failed."""
        failed = [block.name for block in run.blocks if block.status == RunStatus.FAILED]
        if not failed:
            return "", []
        errors = [line.error_stacktrace for line in self.log_lines(run).get(failed[0], [])]
        # The first one: the callback that records the failure may have failed in turn.
        told = next(filter(None, errors), "no error in the log")
        return failed[0], told.strip().splitlines()[-LOG_LINES_SHOWN:]

    def _trigger_id(self, pipeline: str) -> int:
        if pipeline not in self._trigger_ids:
            answer = self._request("GET", f"/pipelines/{pipeline}/pipeline_schedules")
            found = [one["id"] for one in answer["pipeline_schedules"] if one["name"] == TRIGGER]
            if not found:
                raise MageApiError(
                    f"Pipeline {pipeline} has no trigger {TRIGGER!r} in Mage.",
                    hint="Mage reads triggers.yaml when its scheduler starts: try again in some seconds.",
                )
            self._trigger_ids[pipeline] = int(found[0])
        return self._trigger_ids[pipeline]

    def _failure(self, run: PipelineRun) -> RunFailedError:
        where = f"Run {run.id} of {run.pipeline}"
        hint = f"The whole log is at {self._runs_page(run)}."
        block, lines = self.failure(run)
        if not block:
            return RunFailedError(f"{where} was {run.status}.", hint=hint)
        last_lines = "\n".join(lines)
        return RunFailedError(f"{where} failed in block {block}: {last_lines}", hint=hint)

    def _runs_page(self, run: PipelineRun) -> str:
        return f"{self._address}/pipelines/{run.pipeline}/logs?pipeline_run_id[]={run.id}"

    def _sign_in(self) -> None:
        owner = self._settings
        password = required_secret(owner.owner_password, "mage", "owner_password")
        credentials = {"email": owner.owner_email, "password": password}
        answer = self._send("POST", "/sessions", json={"session": credentials})
        if answer.get("error", {}).get("code") == TOO_MANY_SIGN_INS:
            raise MageApiError(f"Mage lets nobody in for now: {_reason(answer)}")
        if "error" in answer:
            raise MageApiError(
                f"Mage does not let {owner.owner_email} in with the password of the settings.",
                hint="Set CLICKSTREAM_MAGE__OWNER_PASSWORD to the password that Mage got at its first start.",
            )
        self._http.cookies.set("oauth_token", answer["session"]["token"])

    def _request(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        if "oauth_token" not in self._http.cookies:
            self._sign_in()
        answer = self._send(method, path, **options)
        if answer.get("error", {}).get("code") == SIGNED_OUT:
            self._sign_in()
            answer = self._send(method, path, **options)
        if "error" in answer:
            raise MageApiError(f"Mage refused {method} {path}: {_reason(answer)}")
        return answer

    def _send(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        try:
            response = self._http.request(method, path, **options)
            answer: dict[str, Any] = response.json()
        except (httpx.TransportError, ValueError) as error:
            raise ServiceUnavailableError(
                f"Mage does not answer at {self._address}: {error}", hint="Start it with `make up`."
            ) from error
        return answer


def _reason(refusal: Mapping[str, Any]) -> str:
    if refusal["error"].get("code") == NOT_FOUND:
        return "there is no such thing"
    # Mage's message may be a traceback; its last line says what happened.
    return str(refusal["error"].get("message")).strip().rpartition("\n")[2]


def read_log_line(line: str) -> LogLine:
    """Read a line of a block's log: a time, a space, and JSON; what isn't is a message as it is."""
    try:
        return msgspec.json.decode(line.partition(" ")[2], type=LogLine)
    except msgspec.DecodeError:
        return LogLine(level="INFO", message=line)
