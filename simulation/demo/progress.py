"""What the terminal shows of a demonstration: a live table, and the table at its end."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

CLOSED = ("received", "returned", "cancelled")
STYLES = {"received": "green", "returned": "yellow", "cancelled": "red", "in_transit": "cyan", "arrived": "cyan"}


@dataclass(slots=True)
class Course:
    """One delivery as the demonstration saw it run. ``metres`` are those its robot drove from assignment to receipt."""

    id: str
    start: str
    end: str
    priority: str
    state: str = "queued"
    robot: str = ""
    queued_at: datetime | None = None
    closed_at: datetime | None = None
    metres: float = 0.0
    waits_for: str = ""
    driven_before_m: float | None = None


@dataclass(slots=True)
class Progress:
    """All deliveries of a demonstration, in the order they were queued."""

    courses: dict[str, Course] = field(default_factory=dict[str, Course])

    def note(self, delivery: dict[str, Any], *, driven_m: dict[str, float], now: datetime) -> list[str]:
        """Note a delivery as the API shows it; returns a line for the terminal when its state changed."""
        course = self.courses.get(str(delivery["id"]))
        if course is None:
            return []
        reasons = delivery["waiting"]
        course.waits_for = str(reasons[0]["sentence"]) if reasons else ""
        if delivery["state"] == course.state and (delivery["robot"] or "") == course.robot:
            return []
        course.state, course.robot = str(delivery["state"]), str(delivery["robot"] or "")
        course.queued_at = course.queued_at or datetime.fromisoformat(delivery["queued_at"])
        if course.robot and course.driven_before_m is None:
            course.driven_before_m = driven_m.get(course.robot, 0.0)
        if course.state in CLOSED and course.closed_at is None:
            course.closed_at = now
            course.metres = driven_m.get(course.robot, 0.0) - (course.driven_before_m or 0.0)
        by = f" by {course.robot}" if course.robot else ""
        return [f"{course.id}  {course.start} → {course.end}  {course.state.replace('_', ' ')}{by}"]

    @property
    def is_over(self) -> bool:
        """Whether every delivery is closed."""
        return all(course.state in CLOSED for course in self.courses.values())

    @property
    def received(self) -> int:
        """How many were received."""
        return sum(course.state == "received" for course in self.courses.values())

    def live_view(self, robots: list[dict[str, Any]], *, title: str) -> RenderableType:
        """Return the picture of the moment."""
        deliveries = Table(title=title, title_justify="left", expand=True)
        for column in ("delivery", "from → to", "priority", "state", "robot", "waits for"):
            deliveries.add_column(column, overflow="fold")
        for course in self.courses.values():
            state = Text(course.state.replace("_", " "), style=STYLES.get(course.state, ""))
            way = f"{course.start} → {course.end}"
            deliveries.add_row(course.id, way, course.priority, state, course.robot, course.waits_for)
        fleet = Table(expand=True)
        for column in ("robot", "battery", "where to", "driven", "waits for"):
            fleet.add_column(column, overflow="fold")
        for robot in robots:
            fleet.add_row(*_robot_row(robot))
        return Group(deliveries, fleet)

    def final_table(self) -> Table:
        """Return the table at the end: delivery, robot, queued → received, metres."""
        table = Table(title=f"{self.received} of {len(self.courses)} received", title_justify="left")
        for column in ("delivery", "from → to", "robot", "queued → received", "took", "state"):
            table.add_column(column, overflow="fold")
        table.add_column("metres", justify="right")
        for course in self.courses.values():
            table.add_row(
                course.id,
                f"{course.start} → {course.end}",
                course.robot,
                f"{_clock(course.queued_at)} → {_clock(course.closed_at)}",
                _took(course),
                Text(course.state, style=STYLES.get(course.state, "")),
                f"{course.metres:.0f}",
            )
        return table


def _robot_row(robot: dict[str, Any]) -> tuple[str, str, str, str, str]:
    battery = "?" if robot["battery"] is None else f"{robot['battery']:.0%}"
    reasons = robot["waiting"]
    waits_for = "lost" if robot["is_lost"] else str(reasons[0]["sentence"]) if reasons else ""
    return (str(robot["id"]), battery, str(robot["target"] or ""), f"{robot['driven_m']:.0f} m", waits_for)


def _clock(moment: datetime | None) -> str:
    return "-" if moment is None else moment.astimezone().strftime("%H:%M:%S")


def _took(course: Course) -> str:
    if course.queued_at is None or course.closed_at is None:
        return "-"
    return f"{(course.closed_at - course.queued_at).total_seconds():.0f} s"
