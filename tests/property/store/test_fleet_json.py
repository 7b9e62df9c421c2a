"""Whatever an order, a report or a delivery holds comes back from its stored form unchanged."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.adapters.store.columns import moment_of_text, text_of_moment
from orchestrator.adapters.store.delivery_rows import delivery_from_rows, delivery_to_rows
from orchestrator.adapters.store.fleet_json import action_from_json, action_to_json, order_from_json, order_to_json
from orchestrator.adapters.store.fleet_rows import robot_from_row, robot_to_row, trip_from_row, trip_to_row
from orchestrator.domain.delivery.model import Delivery, Loading, Receipt, Stop, Trip
from orchestrator.domain.fleet.model import ActionStatus, DrawerReport, Pose, RobotFault, RobotReport
from orchestrator.domain.fleet.order import DriveOrder, OrderStep, RobotAction
from orchestrator.domain.fleet.record import RobotRecord
from orchestrator.domain.reason import Reason

texts = st.text(max_size=12)
numbers = st.floats(allow_nan=False, allow_infinity=False)
counts = st.integers(0, 10_000)
moments = st.datetimes(timezones=st.just(UTC))
poses = st.builds(Pose, texts, numbers, numbers, numbers)
actions = st.builds(RobotAction, id=texts) | st.builds(RobotAction, id=texts, grant=texts, signature=texts)
steps = st.builds(
    OrderStep,
    waypoint=texts,
    pose=poses,
    lane=st.none() | texts,
    speed_limit_m_s=st.none() | numbers,
    actions=st.lists(actions, max_size=2).map(tuple),
)


@st.composite
def orders(draw: st.DrawFn) -> DriveOrder:
    some = tuple(draw(st.lists(steps, min_size=1, max_size=4)))
    released = draw(st.integers(1, len(some)))
    return DriveOrder(
        id=draw(texts),  # pyright: ignore[reportArgumentType]  # ids are texts at run time
        robot=draw(texts),  # pyright: ignore[reportArgumentType]
        steps=some,
        released=released,
        update_id=draw(counts),
        sent_from=draw(st.integers(0, released - 1)),
    )


reports = st.builds(
    RobotReport,
    received_at=moments,
    sequences_ahead=st.lists(counts, max_size=3).map(tuple),
    pose=st.none() | poses,
    battery=st.floats(0, 1),
    faults=st.lists(st.builds(RobotFault, texts, st.booleans(), texts), max_size=2).map(tuple),
    loads=st.none() | st.lists(texts, max_size=2).map(tuple),
    actions=st.dictionaries(texts, st.sampled_from(ActionStatus), max_size=3),
    drawers=st.lists(st.builds(DrawerReport, drawer=texts, is_tampered=st.booleans()), max_size=2).map(tuple),
    nonce=st.none() | texts,
    clock_off_s=st.none() | st.floats(-4e9, 4e9),
)
reasons = st.lists(st.builds(Reason, texts, texts), max_size=2).map(tuple)
records = st.builds(
    RobotRecord,
    robot=texts,
    trip=st.none() | texts,
    target=st.none() | texts,
    order=st.none() | orders(),
    passed=counts,
    tip=st.none() | texts,
    held=st.frozensets(texts, max_size=3),
    granted=st.lists(texts, max_size=3).map(tuple),
    route=st.lists(texts, max_size=3).map(tuple),
    report=st.none() | reports,
    lost_since=st.none() | moments,
    waiting=reasons,
    driven_m=numbers,
)
deliveries = st.builds(
    Delivery,
    queued_at=moments,
    due_by=st.none() | moments,
    trip=st.none() | texts,
    robot=st.none() | texts,
    drawer=st.none() | texts,
    loading=st.none() | st.builds(Loading, at=moments),
    receipt=st.none() | st.builds(Receipt, at=moments, is_short_or_over=st.booleans()),
    waiting=reasons,
)


@given(orders())
@settings(max_examples=50)
def test_order_survives_json(order: DriveOrder) -> None:
    assert order_from_json(order_to_json(order)) == order


@given(actions)
@settings(max_examples=50)
def test_action_survives_json(action: RobotAction) -> None:
    assert action_from_json(action_to_json(action)) == action


@given(records)
@settings(max_examples=100)
def test_robot_record_survives_its_row(record: RobotRecord) -> None:
    assert robot_from_row(robot_to_row(record)) == record


def test_every_field_of_a_robot_record_is_kept() -> None:
    columns = set(robot_to_row(RobotRecord("robot-1")).model_dump())  # pyright: ignore[reportArgumentType]
    renamed = {"trip": "trip_id", "order": "drive_order"}
    assert columns == {renamed.get(field.name, field.name) for field in fields(RobotRecord)}


@given(st.builds(Trip, stops=st.lists(st.builds(Stop), max_size=3).map(tuple), started_at=moments, ended_at=moments))
@settings(max_examples=50)
def test_trip_survives_its_row(trip: Trip) -> None:
    assert trip_from_row(trip_to_row(trip)) == trip


@given(moments, moments)
def test_moments_sort_as_texts_do(first: datetime, second: datetime) -> None:
    assert moment_of_text(text_of_moment(first)) == first
    assert (first < second) == (text_of_moment(first) < text_of_moment(second))


@given(deliveries)
@settings(max_examples=50)
def test_delivery_survives_its_rows(delivery: Delivery) -> None:
    assert delivery_from_rows(delivery_to_rows(delivery)) == delivery
