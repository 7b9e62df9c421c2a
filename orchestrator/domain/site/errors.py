"""What is refused about lanes that people close, each with its own code."""

from __future__ import annotations

from orchestrator.domain.errors import ConflictError, NotFoundError


class LaneUnknownError(NotFoundError):
    """The site has no lane of this id."""

    code = "lane_unknown"


class ClosureCutsOffError(ConflictError):
    """Closing the lane would leave a station or a robot without a way."""

    code = "closure_cuts_off"
