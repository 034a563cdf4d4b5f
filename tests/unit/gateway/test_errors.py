"""Errors as a ClickHouse client expects them."""

import pytest

from stack.gateway.answers import exception_block
from stack.gateway.errors import Code, StatementError, http_status

STATUSES = [
    pytest.param(62, 400, id="syntax"),
    pytest.param(60, 404, id="unknown table"),
    pytest.param(516, 403, id="authentication"),
    pytest.param(497, 403, id="access"),
    pytest.param(159, 408, id="timeout"),
    pytest.param(229, 413, id="too large"),
    pytest.param(48, 501, id="not implemented"),
    pytest.param(241, 500, id="memory"),
]


@pytest.mark.parametrize(("code", "status"), STATUSES)
def test_a_code_has_the_status_of_a_server(code: int, status: int) -> None:
    assert http_status(code) == status


def test_the_engines_text_is_kept() -> None:
    error = StatementError.from_engine(
        RuntimeError("Streaming: Code: 60. DB::Exception: No table x. (UNKNOWN_TABLE)")
    )
    assert (error.code, error.status) == (60, 404)
    assert error.text == "Code: 60. DB::Exception: No table x. (UNKNOWN_TABLE)"


def test_an_error_without_a_code_is_an_unknown_exception() -> None:
    assert StatementError.from_engine(RuntimeError("gone")).code == Code.UNKNOWN_EXCEPTION


def test_an_error_of_the_gateway_names_its_code() -> None:
    assert StatementError(Code.READONLY, "No.").text == "Code: 164. DB::Exception: No. (READONLY)"


def test_an_error_in_an_answer_is_marked_as_servers_mark_it() -> None:
    error = StatementError(Code.READONLY, "No.")
    size = len(error.text)
    expected = f"\r\n__exception__\r\ntag\r\n{error.text}\n{size} tag\r\n__exception__\r\n"
    assert exception_block(error, "tag") == expected.encode()
