"""Jobs in processes of their own."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import msgspec
import psutil
import pytest

from clickstream.errors import BadInputError, ClickstreamError
from clickstream.verification import Comparison, Difference
from control_panel import jobs
from control_panel.jobs import Job, JobStatus
from control_panel.work import GENERATE, summarise
from generator.plan import Plan
from tests.waiting import wait_until


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    settings = SimpleNamespace(stack=SimpleNamespace(data_path=tmp_path), panel=SimpleNamespace(max_jobs=1))
    monkeypatch.setattr(jobs, "get_settings", lambda: settings)
    yield tmp_path
    for job in jobs.list_jobs():
        jobs.cancel_job(job.id)


def start(events: int) -> Job:
    return jobs.start_job(GENERATE, "some events", Plan(events=events, days=3).parameters(), "operator")


def test_a_job_writes_its_files_and_says_what_it_did() -> None:
    job = start(500)
    assert job.is_running
    wait_until(lambda: not jobs.get_job(job.id).is_running, "the job has ended")

    ended = jobs.get_job(job.id)
    assert (ended.state.status, ended.state.done, ended.state.total) == (JobStatus.DONE, 500, 500)
    assert ended.state.message.startswith("500 records: ")
    assert {"events.csv", "events.users.csv", "events.key.json"} <= {
        path.name for path in job.folder.iterdir()
    }


def test_a_cancelled_job_leaves_no_file_and_makes_place_for_another() -> None:
    job = start(5_000_000)
    with pytest.raises(ClickstreamError, match="at most 1 may run"):
        start(500)
    wait_until(lambda: jobs.get_job(job.id).state.done > 0, "the job is at work")

    jobs.cancel_job(job.id)

    assert jobs.get_job(job.id).state.status is JobStatus.CANCELLED
    assert {path.name for path in job.folder.iterdir()} == {"log", "request.json", "state.json"}
    assert start(500).is_running


def test_a_job_whose_process_was_killed_has_failed() -> None:
    job = start(5_000_000)
    psutil.Process(jobs.get_job(job.id).state.pid).kill()

    wait_until(lambda: jobs.get_job(job.id).state.status is JobStatus.FAILED, "the job has failed")
    assert "was killed" in jobs.get_job(job.id).state.message


def test_what_can_not_be_done_is_told() -> None:
    arguments = {**Plan(events=500).parameters(), "until": "no day"}
    job = jobs.start_job(GENERATE, "nothing", arguments, "operator")

    wait_until(lambda: jobs.get_job(job.id).state.status is JobStatus.FAILED, "the job has failed")
    assert "has the details" in jobs.get_job(job.id).state.message


@pytest.mark.parametrize("job_id", ["0123456789abcdef", "../../etc", ""])
def test_an_unknown_job_is_told(job_id: str) -> None:
    with pytest.raises(BadInputError, match="There is no job"):
        jobs.get_job(job_id)


def test_differences_are_told_as_texts() -> None:
    difference = Difference({"date": "2026-05-04"}, {"dau": 3}, None)

    result = summarise([Comparison("daily_active_users", 2, [difference])])

    assert [msgspec.structs.astuple(row) for row in result.differences] == [
        ("daily_active_users", "date 2026-05-04", "dau 3", "")
    ]
    assert result.views[0].differences == 1
