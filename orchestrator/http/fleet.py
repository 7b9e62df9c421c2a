"""Robots, and the site they move in."""

from __future__ import annotations

from fastapi import APIRouter

from orchestrator.domain.access.acts import Act
from orchestrator.domain.fleet.errors import UnknownRobotError
from orchestrator.http.acting import DeskOfApp, may
from orchestrator.http.fleet_models import FactsheetView, FleetView, SiteView, factsheet_view, fleet_view, site_view
from orchestrator.http.problems import documented

router = APIRouter(prefix="/api/v1", tags=["fleet"])


@router.get("/robots", dependencies=[may(Act.WATCH)], responses=documented(401, 403, 421))
async def get_robots(desk: DeskOfApp) -> FleetView:
    """Show where every robot, door and lift is now."""
    return fleet_view(desk.control.live())


@router.get("/robots/{robot}/factsheet", dependencies=[may(Act.WATCH)], responses=documented(401, 403, 404, 421))
async def get_factsheet(robot: str, desk: DeskOfApp) -> FactsheetView:
    """Show how a robot describes its kind, and what that says against its configuration."""
    picture = next((each for each in desk.control.live().robots if each.id == robot), None)
    if picture is None:
        raise UnknownRobotError(
            "No robot of the fleet has this id; expected one of those that GET /api/v1/robots lists.",
            detail={"robot": robot},
        )
    return factsheet_view(picture)


@router.get("/site", dependencies=[may(Act.WATCH)], responses=documented(401, 403, 421))
async def get_site(desk: DeskOfApp) -> SiteView:
    """Show the site: levels, the lanes that the fleet drives on, doors, lifts, stations, walls."""
    served = frozenset(station.id for station in desk.site.stations.values() if desk.is_served(station))
    return site_view(desk.site, graphs=desk.graphs, served=served)
