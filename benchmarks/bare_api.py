"""The baseline of `POST /events`: a FastAPI route that hands the body to the broker as it came.

It judges nothing, adds nothing and counts nothing, but answers after the acknowledgement as well. Broker,
server and the settings of the producer are those of the API.

    python -m benchmarks.bare_api PORT
"""

import gc
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from aiokafka import AIOKafkaProducer  # type: ignore[import-untyped]
from fastapi import FastAPI, Request, Response

from clickstream.settings import Settings, get_settings


def create_app(settings: Settings) -> FastAPI:
    """The service."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.producer = AIOKafkaProducer(
            bootstrap_servers=settings.broker.bootstrap_servers,
            acks="all",
            enable_idempotence=True,
            linger_ms=settings.api.linger_ms,
            max_batch_size=1 << 20,
            max_request_size=20 << 20,
        )
        await app.state.producer.start()
        yield
        await app.state.producer.stop()

    app = FastAPI(lifespan=lifespan)

    @app.post("/events")
    async def pass_on(request: Request) -> Response:
        await request.app.state.producer.send_and_wait(settings.broker.topic, await request.body())
        return Response(b'{"accepted":1}', status_code=202, media_type="application/json")

    return app


def main(port: int) -> None:
    """Serves until it is told to stop."""
    app = create_app(get_settings())
    # As the API does it.
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    uvicorn.run(app, host="127.0.0.1", port=port, ws="none", access_log=False, log_level="warning")


if __name__ == "__main__":
    main(int(sys.argv[1]))
