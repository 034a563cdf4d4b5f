"""What is checked before services start."""

import os
import socket

import pytest

from clickstream.errors import ClickstreamError
from clickstream.settings import Settings
from stack.checks import DiskFullError, PortTakenError, check_disk, check_ports
from stack.services import service_named


def test_a_taken_port_is_said_with_its_holder_and_a_setting_that_works(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        settings.clickhouse.port = server.getsockname()[1]

        with pytest.raises(PortTakenError) as caught:
            check_ports([service_named("clickhouse")], settings)

    assert f"Port {settings.clickhouse.port}, which clickhouse is to listen on" in str(caught.value)
    assert f"process {os.getpid()} (" in str(caught.value)
    suggested = int(caught.value.hint.partition("CLICKSTREAM_CLICKHOUSE__PORT=")[2].split()[0])
    settings.clickhouse.port = suggested
    check_ports([service_named("clickhouse")], settings)


def test_an_address_of_another_machine_is_said_with_the_setting(settings: Settings) -> None:
    settings.stack.host = "192.0.2.1"

    with pytest.raises(ClickstreamError, match=r"can't listen on 192\.0\.2\.1:8123") as caught:
        check_ports([service_named("clickhouse")], settings)
    assert "CLICKSTREAM_STACK__HOST" in caught.value.hint


def test_a_disk_with_too_little_space_is_said_before_anything_starts(settings: Settings) -> None:
    settings.stack.data_path.mkdir()
    settings.stack.min_free_disk_bytes = 10**18

    with pytest.raises(DiskFullError, match=r"GB free, and 1000000000\.0 GB are needed"):
        check_disk(settings)
