"""Simulated wards for tests: a fleet on a site, and what people ask of it."""

from __future__ import annotations

from pathlib import Path

from orchestrator.adapters.building.over_mqtt import MqttBuilding
from orchestrator.adapters.config.built_in import built_in
from orchestrator.adapters.config.rmf.importer import import_building
from orchestrator.adapters.config.robot_model_file import load_robot_models
from orchestrator.adapters.config.site_file import load_site
from orchestrator.application.fleet import FleetOnSite, FleetPolicy, assemble_fleet
from orchestrator.domain.delivery.model import Priority
from orchestrator.domain.delivery.request import DeliveryRequest, LineRequest
from orchestrator.domain.fleet.model import ModelId, RobotModel
from orchestrator.domain.site.model import Site
from simulation.demo.cast import Cast, choose_cast, draw_routes
from simulation.ward import Asked, BuildingMaker

PORTER = ModelId("porter")


def porter_model() -> RobotModel:
    """The demo hospital's robot model."""
    return load_robot_models(built_in("robot_models"))[PORTER]


def demo_hospital() -> Site:
    """Our own two floors, with the one narrow corridor."""
    return load_site(built_in("sites/demo_hospital.site.yaml"))


def imported_site(path: Path) -> Site:
    """A site from an Open-RMF building file."""
    return import_building(path)[0]


def a_cast(site: Site, *, robots: int = 3) -> Cast:
    """Robots, homes and stations on a site."""
    return choose_cast(site, model=porter_model(), robots=robots)


def a_fleet(site: Site, *, robots: int = 3, policy: FleetPolicy | None = None) -> FleetOnSite:
    """The cast as the control wants it."""
    cast = a_cast(site, robots=robots)
    return assemble_fleet(
        site=site,
        robots={robot.id: robot for robot in cast.robots},
        models={robot.id: cast.model for robot in cast.robots},
        policy=policy or FleetPolicy(),
    )


def a_demand(
    site: Site, *, count: int, seed: int, every_s: float = 2.0, robots: int = 3, after_s: float = 1.0
) -> list[Asked]:
    """``count`` deliveries, one every ``every_s`` seconds: every tenth a STAT, every third of the rest urgent."""
    routes = draw_routes(a_cast(site, robots=robots), count=count, seed=seed)
    return [
        Asked(
            at_s=after_s + i * every_s,
            request=DeliveryRequest(
                from_station=start,
                to_station=end,
                lines=(LineRequest(medicine="Paracetamol 500 mg tablets", quantity=28, unit="tablet"),),
                priority=_priority(i),
            ),
        )
        for i, (start, end) in enumerate(routes)
    ]


def _priority(i: int) -> Priority:
    if i % 10 == 9:
        return Priority.STAT
    return Priority.URGENT if i % 3 == 2 else Priority.ROUTINE


def building_over_broker(site: Site) -> BuildingMaker:
    """Makes buildings whose devices are asked over the broker, as on the ward."""
    return lambda transport, clock: MqttBuilding(site, transport=transport, clock=clock)
