"""Bodies are bounded, and forms are read."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from stack.gateway import bodies
from stack.gateway.bodies import HEAD_BYTES, Body, read_form
from stack.gateway.errors import Code, StatementError


async def _run(work: Callable[[], bytes]) -> bytes:
    return work()


def _body(*pieces: bytes, prefix: bytes = b"") -> Body:
    async def arriving() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece

    return Body(arriving(), "", prefix, _run)


def test_the_head_is_read_again_with_the_rest() -> None:
    async def read() -> tuple[bytes, bytes]:
        body = _body(b"x" * HEAD_BYTES, b"y" * HEAD_BYTES, prefix=b"head ")
        head = await body.head()
        return head[:6], b"".join([piece async for piece in body.rest(skip=5)])

    assert asyncio.run(read()) == (b"head x", b"x" * HEAD_BYTES + b"y" * HEAD_BYTES)


def test_a_statement_over_the_limit_is_refused() -> None:
    with pytest.raises(StatementError) as caught:
        asyncio.run(_body(b"x" * 11).whole(limit=10))
    assert (caught.value.code, caught.value.status) == (Code.QUERY_IS_TOO_LARGE, 413)


@pytest.mark.parametrize(
    ("pause_seconds", "waiting_seconds"),
    [pytest.param(0.05, 60.0, id="silent"), pytest.param(60.0, 0.05, id="in drops")],
)
def test_a_body_that_does_not_arrive_in_time_is_given_up(
    monkeypatch: pytest.MonkeyPatch, pause_seconds: float, waiting_seconds: float
) -> None:
    monkeypatch.setattr(bodies, "PAUSE_SECONDS", pause_seconds)
    monkeypatch.setattr(bodies, "WAITING_SECONDS", waiting_seconds)

    async def dripping() -> AsyncIterator[bytes]:
        yield b"select "
        while True:
            await asyncio.sleep(0.01 if pause_seconds > 1 else 60)
            yield b"1"

    with pytest.raises(StatementError, match="did not arrive") as caught:
        asyncio.run(Body(dripping(), "", b"", _run).whole(limit=1_000_000))
    assert (caught.value.code, caught.value.status) == (Code.SOCKET_TIMEOUT, 503)


FORM = (
    b'--b\r\nContent-Disposition: form-data; name="query"\r\n\r\nselect {a:UInt8}\r\n'
    b'--b\r\nContent-Disposition: form-data; name="param_a"\r\n'
    b"Content-Type: text/plain\r\n\r\n1\r\n2\n\x00\r\n--b--\r\n"
)


def test_a_form_has_a_statement_and_parameters() -> None:
    fields = read_form(FORM, "multipart/form-data; boundary=b")
    assert fields == {"query": b"select {a:UInt8}", "param_a": b"1\r\n2\n\x00"}


@pytest.mark.parametrize(
    "field", [b'name="t"; filename="t"', b'name="t_structure"'], ids=["file", "structure"]
)
def test_a_form_with_a_table_is_refused(field: bytes) -> None:
    with pytest.raises(StatementError, match="external tables are not supported") as caught:
        read_form(FORM.replace(b'name="param_a"', field), "multipart/form-data; boundary=b")
    assert caught.value.code == Code.NOT_IMPLEMENTED


@pytest.mark.parametrize("kept", [30, 100, len(FORM) - 6])
def test_a_form_cut_off_is_refused(kept: int) -> None:
    with pytest.raises(StatementError) as caught:
        read_form(FORM[:kept], "multipart/form-data; boundary=b")
    assert caught.value.code == Code.BAD_ARGUMENTS
