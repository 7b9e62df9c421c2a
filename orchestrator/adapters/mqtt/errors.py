"""What may go wrong with the broker we run ourselves."""

from __future__ import annotations

from orchestrator.domain.errors import WardporterError


class BrokerError(WardporterError):
    """The broker of our own could not be started, found or ended."""

    code = "broker_failed"


class BrokerPortTakenError(BrokerError):
    """Something else listens where the broker should."""

    code = "broker_port_taken"


class BrokerElsewhereError(BrokerError):
    """A broker already runs from this folder, but not where it is asked for."""

    code = "broker_elsewhere"


class BrokerNotLoopbackError(BrokerError):
    """The child broker knows no passwords, so it may not listen beyond this machine."""

    code = "broker_not_loopback"
