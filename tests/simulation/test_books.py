"""Books fit the site and fleet that they were written with, at any moment, and no others."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.application.books import ForeignBooksError, require_fitting_books
from orchestrator.application.fleet import FleetOnSite
from orchestrator.domain.fleet.model import RobotId
from simulation.ward import SimulatedWard
from tests.support.shared_data import shared_data
from tests.support.wards import a_demand, a_fleet, demo_hospital, imported_site

SITE = demo_hospital()


def a_ward_at_work() -> SimulatedWard:
    ward = SimulatedWard(a_fleet(SITE), asked=a_demand(SITE, count=4, seed=3), seed=3)
    assert not ward.run(limit_s=90.0).is_finished
    return ward


def check(ward: SimulatedWard, fleet: FleetOnSite) -> None:
    with ward.store.reading() as uow:
        require_fitting_books(uow, fleet)


def test_books_fit_the_site_they_were_written_for() -> None:
    check(a_ward_at_work(), a_fleet(SITE))


def test_books_of_another_site_are_refused_and_the_first_unknown_thing_is_named() -> None:
    office = imported_site(shared_data() / "maps" / "office" / "office.building.yaml")

    with pytest.raises(ForeignBooksError, match=r"goes by station pharmacy_hatch_\d.*name another data folder"):
        check(a_ward_at_work(), a_fleet(office))


def test_books_with_a_trip_of_a_robot_that_left_the_fleet_are_refused_by_its_name() -> None:
    ward = a_ward_at_work()
    with ward.store.reading() as uow:
        gone = uow.trips.open()[0].robot
    fleet = a_fleet(SITE)
    robots = {robot: kept for robot, kept in fleet.robots.items() if robot != gone}

    with pytest.raises(ForeignBooksError, match=f"under way with robot {gone}"):
        check(ward, replace(fleet, robots=robots))


def test_books_with_a_robot_on_a_waypoint_that_is_gone_are_refused() -> None:
    ward = a_ward_at_work()
    fleet = a_fleet(SITE)
    with ward.store.reading() as uow:
        tip = uow.robots.get(RobotId("robot-1")).tip
    graph = fleet.graph_of(RobotId("robot-1"))
    waypoints = {id: waypoint for id, waypoint in graph.waypoints.items() if id != tip}

    with pytest.raises(ForeignBooksError, match=f"robot-1 stands at {tip}"):
        check(ward, replace(fleet, site=replace(fleet.site, graphs={graph.id: replace(graph, waypoints=waypoints)})))
