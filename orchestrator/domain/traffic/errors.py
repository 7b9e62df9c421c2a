"""Refusals of traffic: the caller asked for something that does not fit the graph or the robots on it."""

from __future__ import annotations

from orchestrator.domain.errors import InvalidInputError, NotFoundError


class UnknownTravellerError(NotFoundError):
    """The monitor knows no robot of this id."""

    code = "traffic_robot_unknown"


class UnknownPlaceError(NotFoundError):
    """The lane graph has no such waypoint or lane."""

    code = "traffic_place_unknown"


class BrokenRouteError(InvalidInputError):
    """The lanes do not follow one another from where the robot is."""

    code = "traffic_route_broken"
