"""The page of the generators with the generator's own service, and nothing else running."""

import threading
from collections.abc import Iterator

import pytest
import uvicorn
from streamlit.testing.v1 import AppTest

from clickstream.settings import get_settings
from control_panel import jobs
from control_panel.clients.generators import generators
from control_panel.work import GENERATE
from generator.live.account import Account
from generator.live.app import create_app
from generator.live.fleet import Fleet
from generator.plan import Plan
from tests.waiting import wait_until


@pytest.fixture
def fleet(nothing_runs: None) -> Iterator[Fleet]:
    """The generators' service; the broker is away, so nothing is acknowledged."""
    settings = get_settings()
    running = Fleet(settings, Account())
    config = uvicorn.Config(create_app(running, "*"), port=settings.generator.port, log_level="critical")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    wait_until(lambda: server.started, "the control answers")
    generators.forget()
    yield running
    server.should_exit = True
    thread.join()
    running.close()


def _draw() -> None:
    from control_panel.pages import generators as page  # noqa: PLC0415 -- the function is a script of its own

    page.render()


def open_part(part: str, **address: str) -> AppTest:
    app = AppTest.from_function(_draw, default_timeout=120)
    for name, value in {"part": part, **address}.items():
        app.query_params[name] = value
    return app.run()


def press(app: AppTest, label: str) -> None:
    next(button for button in app.button if button.label == label).click()
    app.run()


def has_button(app: AppTest, label: str) -> bool:
    app.run()
    return label in [button.label for button in app.button]


def test_a_generator_is_started_and_stopped(fleet: Fleet) -> None:
    app = open_part("Live")
    app.text_input[0].set_value("evening")
    press(app, "Start")

    assert [one.value for one in app.success] == ["The generator evening was started."]
    wait_until(lambda: has_button(app, "Stop"), "the page shows that it runs")
    press(app, "Stop")
    wait_until(lambda: has_button(app, "Start again"), "the page shows that it has stopped")
    assert [one.message for one in app.exception] == []
    assert fleet.generator("evening").status().state == "stopped"


def test_a_name_that_can_not_be_is_refused(fleet: Fleet) -> None:
    app = open_part("Live")
    app.text_input[0].set_value("Two Words")
    press(app, "Start")

    assert "lower-case letters" in app.error[0].value
    assert [one.name for one in fleet.statuses()] == ["default"]


@pytest.mark.usefixtures("nothing_runs")
def test_a_file_is_written_and_offered() -> None:
    app = open_part("Files")
    next(field for field in app.number_input if field.label == "Events").set_value(500)
    press(app, "Write the file")

    wait_until(lambda: has_button(app, "Load it"), "the file is written")
    assert any("500 records" in one.value for one in app.markdown)
    (job,) = jobs.list_jobs()
    assert any(f"/files/jobs/{job.id}/events.key.json" in one.value for one in app.markdown)
    verify = open_part("Verify")
    assert verify.multiselect[0].options == [f"{job.request.title} ({job.id[:4]})"]


@pytest.mark.usefixtures("nothing_runs")
def test_a_job_is_found_again_by_the_address_that_its_start_gave() -> None:
    app = open_part("Files")
    next(field for field in app.number_input if field.label == "Events").set_value(500)
    press(app, "Write the file")
    (first,) = jobs.list_jobs()
    assert first.id in app.query_params["job"]
    wait_until(lambda: not jobs.get_job(first.id).is_running, "the file is written")
    jobs.start_job(GENERATE, "a later one", Plan(events=500, days=3, seed=7).parameters(), "operator")

    again = open_part("Files", job=first.id)

    titles = [one.value for one in again.markdown if "&job=" in one.value]
    assert [first.id in title for title in titles] == [True, False]


@pytest.mark.usefixtures("nothing_runs")
def test_an_address_of_a_job_that_is_gone_says_so() -> None:
    app = open_part("Files", job="0123456789abcdef")

    assert any("not kept any more" in one.value for one in app.info)
