"""Bodies of requests that are short: a form, or a few values as JSON."""

from starlette.requests import Request


async def read_body(request: Request, max_bytes: int) -> bytes | None:
    """The body of a request; None if it is longer than allowed, of which the rest is not read."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > max_bytes:
            return None
    return bytes(body)
