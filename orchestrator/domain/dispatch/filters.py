"""What keeps a robot from a delivery: a filter for each criterion, answering with its reason, or None if it is met."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from orchestrator.domain.delivery.model import Delivery
from orchestrator.domain.fleet.model import ModelId, RobotId, RobotModel, RobotReport
from orchestrator.domain.medicine.handling import HandlingClass
from orchestrator.domain.reason import Reason
from orchestrator.domain.site.model import StationId


@dataclass(frozen=True, slots=True)
class Candidate:
    """One robot and what decides whether it may take a trip now.

    ``report`` is what it said last, None when it has said nothing yet. ``is_fenced_off`` says that it may not drive
    for now, ``is_out_of_service`` that it is given no work. Driving home is no trip. ``is_going_home`` says that it
    stands at its home or is on the way there. ``checks_grants`` says that its drawers open on grants alone.
    ``left_in`` are drawers in which it sees something that by the books is not there. ``not_ready`` says why it
    takes no order though it reports and has none of ours. ``not_ours`` are loads that it reports and the
    books do not know.
    """

    robot: RobotId
    model: RobotModel
    report: RobotReport | None
    is_lost: bool = False
    is_fenced_off: bool = False
    is_out_of_service: bool = False
    is_on_trip: bool = False
    occupied_drawers: frozenset[str] = frozenset()
    is_going_home: bool = False
    checks_grants: bool = False
    left_in: tuple[str, ...] = ()
    not_ready: Reason | None = None
    not_ours: tuple[str, ...] = ()

    @property
    def free_drawers(self) -> tuple[str, ...]:
        """The drawers that can be filled, in the model's order."""
        return tuple(drawer for drawer in self.model.drawers if drawer not in self.occupied_drawers)

    @property
    def must_charge(self) -> bool:
        """Whether the battery is below the reserve, or on the charger and not ready yet."""
        if self.report is None:
            return False
        least = self.model.battery_ready if self.report.is_charging else self.model.battery_reserve
        return self.report.battery < least


NAMES_MAX, NAME_LENGTH_MAX = 3, 60
"""How many names of a robot's own a sentence holds, and how much of each."""

Distance = Callable[[RobotId, StationId], float | None]
"""How far a robot has to drive to a station, in metres or seconds alike for all; None when there is no way."""

RobotFilter = Callable[[Candidate], Reason | None]


def robot_fenced_off(candidate: Candidate) -> Reason | None:
    """Refuse a robot that may not drive for now."""
    if not candidate.is_fenced_off:
        return None
    sentence = f"{candidate.robot} may not drive for now; it waits until a person resumes the robot, or another comes."
    return Reason("robot_fenced_off", sentence)


def robot_out_of_service(candidate: Candidate) -> Reason | None:
    """Refuse a robot that is given no work; it may still go to its resting place."""
    if not candidate.is_out_of_service:
        return None
    sentence = f"{candidate.robot} is out of service; it waits until the robot is put back."
    return Reason("robot_out_of_service", sentence)


def robot_not_reported(candidate: Candidate) -> Reason | None:
    """Refuse a robot that has said nothing since the orchestrator started."""
    if candidate.report is not None:
        return None
    return Reason("robot_not_reported", f"{candidate.robot} has not reported yet; it waits for its first state.")


def robot_lost(candidate: Candidate) -> Reason | None:
    """Refuse a robot that has been silent for too long."""
    if not candidate.is_lost:
        return None
    return Reason(
        "robot_lost", f"{candidate.robot} is silent; it waits to hear from it or for a person to look after it."
    )


def emergency_stop(candidate: Candidate) -> Reason | None:
    """Refuse a robot whose emergency stop is pressed or whose protective field is violated."""
    report = candidate.report
    if report is None or not (report.is_emergency_stopped or report.has_field_violation):
        return None
    return Reason("emergency_stop", f"{candidate.robot} is stopped for safety; a person on the spot has to release it.")


def robot_at_fault(candidate: Candidate) -> Reason | None:
    """Refuse a robot that reports a fault which stops it."""
    if candidate.report is None or not any(fault.is_fatal for fault in candidate.report.faults):
        return None
    return Reason("robot_at_fault", f"{candidate.robot} reports a fault that stops it; it waits for an engineer.")


def wrong_mode(candidate: Candidate) -> Reason | None:
    """Refuse a robot that a person drives or services."""
    if candidate.report is None or candidate.report.mode.takes_orders:
        return None
    sentence = f"{candidate.robot} is in {candidate.report.mode.value} mode; it waits to be set to automatic."
    return Reason("wrong_mode", sentence)


def robot_not_ready(candidate: Candidate) -> Reason | None:
    """Refuse a robot that would take no order: paused where it stands, or busy with what it was not asked for here."""
    return candidate.not_ready


def robot_busy(candidate: Candidate) -> Reason | None:
    """Refuse a robot that is on a trip."""
    if not candidate.is_on_trip:
        return None
    return Reason("robot_busy", f"{candidate.robot} is on another trip; it waits for the robot to come free.")


def battery_below_reserve(candidate: Candidate) -> Reason | None:
    """Refuse a robot that has to charge first."""
    if not candidate.must_charge:
        return None
    return Reason("battery_below_reserve", f"{candidate.robot} has to charge first; it waits until it is ready.")


def no_free_drawer(candidate: Candidate) -> Reason | None:
    """Refuse a robot without a free drawer."""
    if candidate.free_drawers:
        return None
    return Reason("no_free_drawer", f"{candidate.robot} has no free drawer; it waits until one is emptied.")


def drawer_not_empty(candidate: Candidate) -> Reason | None:
    """Refuse a robot in which something was left: it is sent nowhere until people have looked into it."""
    if not candidate.left_in:
        return None
    named = ", ".join(candidate.left_in)
    sentence = f"Something was left in drawer {named} of {candidate.robot}; it waits until two people took it out."
    return Reason("drawer_not_empty", sentence)


def load_not_ours(candidate: Candidate) -> Reason | None:
    """Refuse a robot that carries what nobody here gave it: people know whose it is, and where it may be put down."""
    if not candidate.not_ours:
        return None
    named = ", ".join(repr(load[:NAME_LENGTH_MAX]) for load in candidate.not_ours[:NAMES_MAX])
    more = f" and {len(candidate.not_ours) - NAMES_MAX} more" if len(candidate.not_ours) > NAMES_MAX else ""
    sentence = (
        f"{candidate.robot} says that it carries {named}{more}, which is not on our books; it waits until that is "
        "taken out. Say `loads: own` in its link in the fleet file if it names by itself what it was given, or carries "
        "things of its own."
    )
    return Reason("load_not_ours", sentence)


MAY_DRIVE: tuple[RobotFilter, ...] = (
    robot_fenced_off,
    robot_not_reported,
    robot_lost,
    emergency_stop,
    robot_at_fault,
    wrong_mode,
    robot_not_ready,
    robot_busy,
)
"""What a robot must pass to be sent anywhere."""

MAY_GO_ON: tuple[RobotFilter, ...] = tuple(each for each in MAY_DRIVE if each not in (robot_not_ready, robot_busy))
"""What a robot must pass to go on with what it does, without anybody's help; whether it is ready only time can tell."""

MAY_TAKE_TRIP: tuple[RobotFilter, ...] = (
    *MAY_DRIVE,
    robot_out_of_service,
    battery_below_reserve,
    drawer_not_empty,
    load_not_ours,
    no_free_drawer,
)
"""What a robot must pass to be sent on a trip."""


def station_unreachable(candidate: Candidate, delivery: Delivery, distance: Distance) -> Reason | None:
    """Refuse a robot that has no way to where the delivery starts or ends."""
    for station in (delivery.from_station, delivery.to_station):
        if distance(candidate.robot, station) is None:
            sentence = f"{candidate.robot} has no open way to {station}; it waits for one or for another robot."
            return Reason("station_unreachable", sentence)
    return None


def may_ride_on(delivery: Delivery, model: ModelId) -> bool:
    """Whether the accountable officer's approval, where one is needed, covers robots of a model."""
    models = delivery.custody.models
    return not models or model in models


def robot_not_approved(candidate: Candidate, delivery: Delivery) -> Reason | None:
    """Refuse a robot of a model that no approval covers for what the delivery holds."""
    if may_ride_on(delivery, candidate.model.id):
        return None
    sentence = f"No approval covers {candidate.robot} for this delivery; it waits for a robot of an approved model."
    return Reason("robot_not_approved", sentence)


def needs_grants(delivery: Delivery) -> bool:
    """Whether a delivery rides only where drawers open on grants alone."""
    return delivery.handling_class is HandlingClass.CONTROLLED


def robot_checks_no_grants(candidate: Candidate, delivery: Delivery) -> Reason | None:
    """Refuse a robot whose drawers open without a grant for what is controlled."""
    if candidate.checks_grants or not needs_grants(delivery):
        return None
    sentence = f"{candidate.robot} does not declare that it checks drawer grants; it waits for a robot that does."
    return Reason("robot_checks_no_grants", sentence)


def station_busy(delivery: Delivery, busy: Collection[StationId]) -> Reason | None:
    """Refuse a delivery whose first station has another robot at it or coming."""
    if delivery.from_station not in busy:
        return None
    sentence = f"Another robot is at {delivery.from_station} or on its way there; it waits until that one has left."
    return Reason("station_busy", sentence)


def reasons_against(candidate: Candidate, filters: Collection[RobotFilter]) -> tuple[Reason, ...]:
    """Return what each of ``filters`` has against the robot; empty when it passes all."""
    return tuple(reason for each in filters if (reason := each(candidate)) is not None)
