"""Ports of this machine, looked at before anything is started on them."""

from __future__ import annotations

import socket

from orchestrator.domain.errors import InvalidInputError


class PortTakenError(InvalidInputError):
    """Something else listens on the port."""

    code = "port_taken"


def free_port(port: int, *, host: str = "127.0.0.1") -> int:
    """Return the port if it is free, or any free one for 0.

    Raises
    ------
    PortTakenError
        Something listens there.
    """
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise PortTakenError(
                f"Port {port} on {host} was refused: something else listens there. "
                f"Name another with --port, or --port 0 for any free one."
            ) from error
        return int(probe.getsockname()[1])
