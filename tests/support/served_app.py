"""An app behind a real server on a free loopback port, for what a test client in the process cannot show."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI

STOP_TIMEOUT_S = 20.0


class ReadyServer(uvicorn.Server):
    """Says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.is_ready.set()


@contextmanager
def served(app: FastAPI) -> Iterator[str]:
    """Serve the app in a thread and give its address."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = ReadyServer(uvicorn.Config(app, log_level="warning", lifespan="off", timeout_graceful_shutdown=1))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        assert server.is_ready.wait(STOP_TIMEOUT_S), "the server did not come up"
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(STOP_TIMEOUT_S)
            assert not thread.is_alive(), "the server did not stop"
