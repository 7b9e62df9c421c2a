"""Pharmacy staff queue a delivery."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from orchestrator.application.delivery_changes import tell_change
from orchestrator.application.ports import Ids, UnitOfWork
from orchestrator.domain.delivery.lifecycle import moved
from orchestrator.domain.delivery.model import (
    Delivery,
    DeliveryId,
    DeliveryState,
    Job,
    JobId,
    Line,
    LineId,
    Tote,
    ToteId,
    Transition,
)
from orchestrator.domain.delivery.request import DeliveryRequest, check_request
from orchestrator.domain.reason import Reason
from orchestrator.domain.site.model import Station, StationId

VERIFIED_AT_QUEUEING = Reason(
    "verified_at_queueing", "The policy of this site takes the person who queues a delivery as the one who verified it."
)


def queue_delivery(
    uow: UnitOfWork,
    *,
    request: DeliveryRequest,
    at: datetime,
    ids: Ids,
    by: str,
    stations: Mapping[StationId, Station],
    is_served: Callable[[Station], bool],
) -> Delivery:
    """Keep a new job with one delivery in one tote, verified by the policy ``at_queueing``.

    Parameters
    ----------
    uow : UnitOfWork
        The open transaction.
    request : DeliveryRequest
        What is asked for.
    at : datetime
        Now; aware.
    ids : Ids
        Where new ids come from.
    by : str
        Id of the principal who asks.
    stations : mapping
        The stations of the site, by id.
    is_served : callable
        Whether some robot of the fleet can drive to a station.

    Returns
    -------
    Delivery
        The delivery, ``verified``: it waits for a robot.

    Raises
    ------
    WardporterError
        As `check_request`; then nothing is kept.
    """
    check_request(request, at=at, stations=stations, is_served=is_served)
    job = Job(id=JobId(ids.new("job")), requested_by=by, requested_at=at)
    queued = _queued(request, job=job, at=at, ids=ids, by=by)
    verified = moved(queued, DeliveryState.VERIFIED, at=at, cause=by, reason=VERIFIED_AT_QUEUEING)
    uow.jobs.add(job)
    uow.deliveries.add(verified)
    tell_change(uow, verified, at=at)
    return verified


def _queued(request: DeliveryRequest, *, job: Job, at: datetime, ids: Ids, by: str) -> Delivery:
    return Delivery(
        id=DeliveryId(ids.new("delivery")),
        job=job.id,
        from_station=request.from_station,
        to_station=request.to_station,
        priority=request.priority,
        lines=tuple(
            Line(
                id=LineId(ids.new("line")),
                medicine=line.medicine,
                quantity=line.quantity,
                unit=line.unit,
                batch=line.batch,
                expiry=line.expiry,
                handling_class=line.handling_class,
            )
            for line in request.lines
        ),
        tote=Tote(ToteId(ids.new("tote"))),
        state=DeliveryState.QUEUED,
        queued_at=at,
        due_by=None if request.due_by is None else request.due_by.astimezone(UTC),
        history=(Transition(at=at, before=None, after=DeliveryState.QUEUED, cause=by),),
    )
