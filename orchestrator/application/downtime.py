"""What people need when the screens are dark: where everything is, and who answers for it.

It names medicines and quantities, because somebody has to find and count them; it names no patient.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from orchestrator.application.confirm_receipt import was_turned_back
from orchestrator.application.ports import UnitOfWork
from orchestrator.application.recalls import batch_of
from orchestrator.application.views import RobotPicture
from orchestrator.domain.custody.balances import Balance
from orchestrator.domain.custody.incident import Incident
from orchestrator.domain.custody.model import AccountKind
from orchestrator.domain.custody.pending import LedgerMode
from orchestrator.domain.delivery.custody_record import LineEnd
from orchestrator.domain.delivery.model import Delivery, DeliveryState, Priority
from orchestrator.domain.fleet.model import RobotReport
from orchestrator.domain.medicine.model import MedicineCode
from orchestrator.domain.medicine.recall import Recall
from orchestrator.domain.site.model import Site, StationId, WaypointId

AT_PLACES = (AccountKind.CUPBOARD, AccountKind.QUARANTINE, AccountKind.RETURNED)


@dataclass(frozen=True, slots=True)
class PackRow:
    """One line of a delivery that is not closed: what, where it is now, and who answers for it.

    ``where`` is in words; ``since`` is when the delivery came into its state, ``due_by`` when it is to be in the
    receiver's hand. ``is_critical`` says that a late dose harms.
    """

    delivery: str
    state: str
    since: datetime
    medicine: str
    quantity: int
    unit: str
    batch: str
    handling_class: str
    where: str
    tote: str
    seal: str
    from_name: str
    to_name: str
    accountable: str
    priority: Priority
    due_by: datetime | None
    is_critical: bool


@dataclass(frozen=True, slots=True)
class StockRow:
    """What an account at a place holds of a medicine's batch."""

    place: str
    account: AccountKind
    medicine: str
    batch: str
    own_of_patient: bool
    units: int
    unit: str


@dataclass(frozen=True, slots=True)
class RobotRow:
    """Where a robot was when it was last heard."""

    robot: str
    where: str
    heard_at: datetime | None
    remark: str


@dataclass(frozen=True, slots=True)
class DowntimePack:
    """Everything in a downtime pack, as it stood at one moment; ``recalled`` names what recalls are about, by code."""

    taken_at: datetime
    is_simulation: bool
    is_register_of_record: bool
    ledger_size: int
    rows: tuple[PackRow, ...]
    robots: tuple[RobotRow, ...]
    stock: tuple[StockRow, ...]
    incidents: tuple[Incident, ...]
    recalls: tuple[Recall, ...]
    recalled: Mapping[str, str]


def downtime_pack(
    uow: UnitOfWork, site: Site, robots: Sequence[RobotPicture], *, at: datetime, is_simulation: bool
) -> DowntimePack:
    """Return what a downtime pack says now.

    Parameters
    ----------
    uow : UnitOfWork
        The open block.
    site : Site
        For the names of stations.
    robots : sequence of RobotPicture
        Where robots are now.
    at : datetime
        Now; aware.
    is_simulation : bool
        Whether everything in it is simulated; every page says so then.
    """
    recalls = tuple(uow.recalls.standing())
    rows = (row for delivery in uow.deliveries.open() for row in _rows(delivery, site))
    return DowntimePack(
        taken_at=at,
        is_simulation=is_simulation,
        is_register_of_record=uow.ledger.mode is LedgerMode.REGISTER_OF_RECORD,
        ledger_size=uow.ledger.size,
        rows=tuple(sorted(rows, key=_soonest_first)),
        robots=tuple(_robot_row(robot, site) for robot in robots),
        stock=tuple(_stock_row(uow, balance) for balance in uow.ledger.balances() if balance.account.kind in AT_PLACES),
        incidents=tuple(reversed(uow.incidents.standing())),
        recalls=recalls,
        recalled={recall.medicine: _medicine_name(uow, recall.medicine) for recall in recalls},
    )


def _rows(delivery: Delivery, site: Site) -> Iterator[PackRow]:
    from_name, to_name = _name(site, delivery.from_station), _name(site, delivery.to_station)
    since = delivery.history[-1].at if delivery.history else delivery.queued_at
    for line in delivery.lines:
        ended = delivery.custody.ended(line.id)
        yield PackRow(
            delivery=delivery.id,
            state=delivery.state.value,
            since=since,
            medicine=line.medicine,
            quantity=line.quantity,
            unit=line.unit,
            batch=batch_of(line, delivery) or "",
            handling_class=line.handling_class.value,
            where=_where(delivery, site) if ended is None else _ENDS[ended.end],
            tote=delivery.tote_of(line.id).id,
            seal=delivery.tote_of(line.id).seal_number or "",
            from_name=from_name,
            to_name=to_name,
            accountable=delivery.custody.accountable or "",
            priority=delivery.priority,
            due_by=delivery.due_by,
            is_critical=delivery.is_critical,
        )


_ENDS = {
    LineEnd.RECEIVED: "ended: received",
    LineEnd.RECEIVED_DIFFERENT: "ended: received, count differs",
    LineEnd.QUARANTINED: "ended: set apart",
    LineEnd.RETURNED: "ended: came back",
    LineEnd.RETURNED_DIFFERENT: "ended: came back, count differs",
}


def _soonest_first(row: PackRow) -> tuple[bool, int, bool, datetime]:
    """Whoever carries by hand needs to know what to carry first; what nobody waits for comes last."""
    return (not row.is_critical, row.priority.rank, row.due_by is None, row.due_by or row.since)


def _where(delivery: Delivery, site: Site) -> str:
    if delivery.state is DeliveryState.HANDED_TO_RUNNER:
        if was_turned_back(delivery):
            return f"carried by a person back to {_name(site, delivery.returns_to)}"
        return f"carried by a person to {_name(site, delivery.to_station)}"
    if delivery.is_in_drawer:
        return f"robot {delivery.robot}, drawer {delivery.drawer}"
    if delivery.loading is not None:
        # Sealed, in no drawer, and nobody said that they carry it: lost, or in the hands of who took it out.
        return f"not known: an incident; ask {delivery.custody.accountable or 'the pharmacy'}"
    return f"at {_name(site, delivery.from_station)}, not loaded"


def _name(site: Site, station: StationId) -> str:
    found = site.stations.get(station)
    return station if found is None else found.name or found.id


def _stock_row(uow: UnitOfWork, balance: Balance) -> StockRow:
    medicine = uow.medicines.find(MedicineCode(balance.stock.medicine))
    return StockRow(
        place=balance.account.of,
        account=balance.account.kind,
        medicine=balance.stock.medicine if medicine is None else medicine.title,
        batch=balance.stock.batch,
        own_of_patient=balance.stock.own_of is not None,
        units=balance.quantity,
        unit="" if medicine is None else medicine.unit,
    )


def _medicine_name(uow: UnitOfWork, code: str) -> str:
    medicine = uow.medicines.find(MedicineCode(code))
    return code if medicine is None else medicine.title


def _robot_row(robot: RobotPicture, site: Site) -> RobotRow:
    report = robot.report
    remarks = ["silent for too long"] if robot.is_lost else []
    remarks += [hold.as_reason.sentence for hold in robot.record.holds]
    return RobotRow(
        robot=robot.id,
        where="never heard" if report is None else _position(report, site),
        heard_at=None if report is None else report.received_at,
        remark=" ".join(remarks),
    )


def _position(report: RobotReport, site: Site) -> str:
    last = report.last_waypoint
    at = "between waypoints" if last is None else f"last at {_waypoint_name(site, last)}"
    pose = report.pose
    if pose is None:
        return at
    level = site.levels.get(pose.level)
    return (
        f"{at}; level {pose.level if level is None else level.name or level.id}, x {pose.x_m:.1f} m, y {pose.y_m:.1f} m"
    )


def _waypoint_name(site: Site, waypoint: WaypointId) -> str:
    for station in site.stations.values():
        if waypoint in station.waypoints.values():
            return station.name or station.id
    found = (graph.waypoints[waypoint] for graph in site.graphs.values() if waypoint in graph.waypoints)
    return next((one.name for one in found if one.name), waypoint)
