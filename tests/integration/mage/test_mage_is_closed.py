"""Mage as the stack starts it: who gets in, what it writes, whom it calls."""

import asyncio
import base64
import hmac
import json
import urllib.error
import urllib.request
from typing import Any

import psutil
import pytest
import websockets

from stack.lifecycle import Stack
from stack.processes import processes_of
from stack.services import MAGE_PROJECT
from tests.integration.mage.project_files import project_files

# The key of Mage's own web pages; public, and the same everywhere.
FRONTEND_KEY = "zkWlN0PkIKSN0C11CfUHUj84OT5XOJ6tDZ6bDRO2"


def call(
    stack: Stack, path: str, body: dict[str, Any] | None = None, token: str | None = None
) -> dict[str, Any]:
    request = urllib.request.Request(
        f"http://127.0.0.1:{stack.settings.mage.port}/api/{path}?api_key={FRONTEND_KEY}",
        data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json", **({"Cookie": f"oauth_token={token}"} if token else {})},
    )
    with urllib.request.urlopen(request) as answer:
        decoded: dict[str, Any] = json.load(answer)
    return decoded


def sign_in(stack: Stack, email: str, password: str) -> dict[str, Any]:
    body = {"session": {"email": email, "password": password}, "api_key": FRONTEND_KEY}
    return call(stack, "sessions", body)


@pytest.fixture(scope="module")
def owner_token(stack: Stack) -> str:
    mage = stack.settings.mage
    answer = sign_in(stack, mage.owner_email, mage.owner_password.get_secret_value())
    return str(answer["session"]["token"])


@pytest.mark.parametrize("name", ["admin@admin.com", "admin"])
def test_mages_default_owner_cannot_sign_in(stack: Stack, name: str) -> None:
    assert sign_in(stack, name, "admin")["error"]["message"] == "Email/username and/or password invalid."


@pytest.mark.parametrize("resource", ["projects", "pipelines", "files", "users", "secrets"])
def test_nothing_is_told_without_signing_in(stack: Stack, resource: str) -> None:
    answer = call(stack, resource)

    assert answer["error"]["code"] == 403
    assert set(answer) == {"error", "status"}


def signed_with(key: str, token: str) -> str:
    """The token with its signature (HMAC-SHA256, as Mage signs) made by another key."""
    content = token.rpartition(".")[0]
    signature = hmac.digest(key.encode(), content.encode(), "sha256")
    return f"{content}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"


def test_a_session_signed_with_mages_public_constant_is_refused(stack: Stack, owner_token: str) -> None:
    own_key = stack.settings.mage.jwt_secret.get_secret_value()
    assert signed_with(own_key, owner_token) == owner_token
    answer = call(stack, "projects", token=signed_with("materia", owner_token))

    assert answer["error"]["exception"] == "Signature verification failed"
    assert "projects" not in answer


def test_the_owner_gets_in(stack: Stack, owner_token: str) -> None:
    (project,) = call(stack, "projects", token=owner_token)["projects"]

    assert project["repo_path"] == str(MAGE_PROJECT)
    assert project["help_improve_mage"] is False


def test_the_newest_version_is_not_asked_for(stack: Stack, owner_token: str) -> None:
    (project,) = call(stack, "projects", token=owner_token)["projects"]

    assert project["latest_version"] == project["version"] == "0.9.80"


def test_the_terminal_is_off_even_for_the_owner(stack: Stack, owner_token: str) -> None:
    async def answer_of_terminal() -> str:
        async with websockets.connect(
            f"ws://127.0.0.1:{stack.settings.mage.port}/websocket/terminal"
        ) as terminal:
            await terminal.send(
                json.dumps(
                    {"api_key": FRONTEND_KEY, "token": owner_token, "command": ["stdin", "echo $((6*7))\r"]}
                )
            )
            while True:
                answer = str(await asyncio.wait_for(terminal.recv(), timeout=10))
                if "Unauthorized" in answer or "42" in answer:
                    return answer

    assert "Unauthorized access to the terminal." in asyncio.run(answer_of_terminal())


def addresses_of(process: psutil.Process) -> set[str]:
    try:
        connections = process.net_connections(kind="inet")
    except psutil.NoSuchProcess:
        return set()
    return {end.ip for connection in connections for end in (connection.laddr, connection.raddr) if end}


def test_its_processes_talk_to_this_machine_alone(stack: Stack) -> None:
    addresses = [addresses_of(process) for process in processes_of(stack.paths.data, "mage")]

    assert len(addresses) >= 2
    assert set().union(*addresses) == {"127.0.0.1"}


def test_it_keeps_what_it_writes_in_the_data_directory(stack: Stack) -> None:
    home = stack.paths.home_of("mage")

    assert (home / "mage-ai.db").is_file()
    assert (home / "ipython").is_dir()


def test_running_it_changes_no_file_of_the_project(
    stack: Stack, owner_token: str, files_before: dict[str, str]
) -> None:
    call(stack, "pipelines", token=owner_token)

    assert project_files() == files_before
