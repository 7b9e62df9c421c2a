"""Numbers that only one test on this machine may use at a time: ROS domains (as demonstrations do) and TCP ports."""

from __future__ import annotations

import socket

from simulation.demo.claims import ROS_DOMAINS, claimed_number

__all__ = ["PORTS", "ROS_DOMAINS", "claimed_number", "port_is_free"]

PORTS = range(20_000, 32_000)
"""Below Linux's ephemeral range, so that no outgoing connection takes a claimed port before its server binds it."""


def port_is_free(port: int) -> bool:
    """Whether a server may bind the port on the loopback address now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
