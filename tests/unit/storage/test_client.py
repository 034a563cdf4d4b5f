import socket

import pytest
from pydantic import SecretStr

from clickstream.errors import ServiceUnavailableError
from clickstream.settings import ClickHouseSettings
from clickstream.storage.client import Role, connect


def test_says_what_to_start_when_nothing_answers() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # Bound and not listening: every connection is refused.
        port = taken.getsockname()[1]
        settings = ClickHouseSettings(
            port=port, writer_password=SecretStr("secret"), reader_password=SecretStr("secret")
        )
        with pytest.raises(ServiceUnavailableError, match=f"does not answer at 127.0.0.1:{port}") as caught:
            connect(settings, Role.WRITER)
    assert "make up" in caught.value.hint
