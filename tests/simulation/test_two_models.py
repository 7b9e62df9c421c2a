"""A ward with robots of two models, each on a lane graph of its own, over one floor."""

from __future__ import annotations

from dataclasses import replace

from orchestrator.application.fleet import FleetOnSite, FleetPolicy, assemble_fleet
from orchestrator.domain.delivery.model import DeliveryState
from orchestrator.domain.delivery.request import DeliveryRequest, LineRequest
from orchestrator.domain.fleet.model import ModelId, Robot, RobotId, RobotModel
from orchestrator.domain.site.model import GraphId, StationId, StationKind
from simulation.ward import Asked, SimulatedWard
from tests.support.shared_data import shared_data
from tests.support.wards import imported_site, porter_model

FROM, TO, ON_ONE_ONLY = (
    StationId("L2_north_counter"),
    StationId("L2_left_nurse_center"),
    StationId("L1_right_treatment"),
)
HOMES = {"robot-1": "L2_sub_waiting_area_3", "robot-2": "tinyRobot_1_charger", "robot-3": "tinyRobot_2_charger"}


def a_mixed_fleet() -> FleetOnSite:
    """One delivery robot on the clinic's first graph, two smaller ones on its second."""
    site = imported_site(shared_data() / "maps" / "clinic" / "clinic.building.yaml")
    large = replace(porter_model(), id=ModelId("large"), graph=GraphId("0"))
    small = replace(porter_model(), id=ModelId("small"), graph=GraphId("1"), radius_m=0.25)
    robots: dict[RobotId, Robot] = {}
    models: dict[RobotId, RobotModel] = {}
    for number, (name, home) in enumerate(HOMES.items(), start=1):
        robot, model = RobotId(name), large if number == 1 else small
        robots[robot] = Robot(
            id=robot,
            model=model.id,
            manufacturer="wardporter",
            serial_number=f"WP{number:04d}",
            interface_name="uagv",
            protocol_version="2.1.0",
            home=StationId(home),
        )
        models[robot] = model
    return assemble_fleet(site=site, robots=robots, models=models, policy=FleetPolicy())


def asked(number: int, *, to: StationId = TO) -> Asked:
    line = LineRequest(medicine="Paracetamol 500 mg tablets", quantity=28, unit="tablet")
    return Asked(at_s=1.0 + 40.0 * number, request=DeliveryRequest(from_station=FROM, to_station=to, lines=(line,)))


def test_robots_of_two_models_deliver_side_by_side_and_only_one_that_reaches_both_stations_is_sent() -> None:
    fleet = a_mixed_fleet()
    assert fleet.site.stations[FROM].kind is StationKind.PHARMACY_HATCH
    asked_for = [asked(0), asked(1), asked(2, to=ON_ONE_ONLY), asked(3), asked(4), asked(5, to=ON_ONE_ONLY)]
    ward = SimulatedWard(fleet, asked=asked_for, seed=1)

    outcome = ward.run(limit_s=4 * 3600.0)

    assert outcome.is_finished
    assert {d.state for d in outcome.deliveries} == {DeliveryState.RECEIVED}
    by_robot = {
        d.to_station: {e.robot for e in outcome.deliveries if e.to_station == d.to_station} for d in outcome.deliveries
    }
    assert by_robot[ON_ONE_ONLY] == {RobotId("robot-1")}
    assert by_robot[TO] - {RobotId("robot-1")}, "the smaller robots took part"
