"""Robots as dispatch sees them: idle, in order, with two drawers."""

from __future__ import annotations

from dataclasses import replace

from orchestrator.domain.dispatch.filters import Candidate
from orchestrator.domain.fleet.model import ModelId, RobotId, RobotModel, RobotReport
from orchestrator.domain.site.model import GraphId
from tests.support.idle_reports import an_idle_report
from tests.support.waiting_deliveries import NOON

MODEL = RobotModel(ModelId("porter"), GraphId("main"), 0.35, 1.0, 0.5, 1.0, 1.0, ("A", "B"))


def a_report(robot: RobotId) -> RobotReport:
    return an_idle_report(robot, NOON)


def a_candidate(name: str = "r1", **reported: object) -> Candidate:
    """Return an idle robot in order; keywords change what it reports."""
    robot = RobotId(name)
    report = replace(a_report(robot), **reported)  # pyright: ignore[reportArgumentType]
    return Candidate(robot=robot, model=MODEL, report=report, is_going_home=True)
