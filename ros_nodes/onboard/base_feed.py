"""Hands the driver the released points of an order, and never one more."""

from __future__ import annotations

from collections.abc import Sequence

from ros_nodes.onboard.driving import Driver
from ros_nodes.onboard.path_geometry import PathPoint


class BaseFeed:
    """Keeps account of which points ahead the driver already has.

    Parameters
    ----------
    driver : Driver
        What follows the points.
    """

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._given = 0
        self._seen = 0
        self._needs_new_path = True

    def begin(self) -> None:
        """Start a new path with the next points."""
        self._given, self._needs_new_path = 0, True

    def drop(self) -> None:
        """Brake, and take back what was given."""
        self._driver.stop()
        self.begin()

    def take_passed(self) -> bool:
        """Return whether the driver passed another point since the last call that said so."""
        if self._given == 0 or self._seen >= self._driver.points_reached:
            return False
        self._seen += 1
        self._given -= 1
        return True

    def offer(self, stretch: Sequence[PathPoint]) -> bool:
        """Give the driver what it lacks of the points ahead; return whether that was anything.

        Parameters
        ----------
        stretch : sequence of PathPoint
            Every point ahead that may be driven without a halt; those given before come first.
        """
        if self._needs_new_path and not self._driver.is_stopped:
            return False
        more = stretch[self._given :]
        if not more:
            return False
        if self._needs_new_path:
            self._driver.follow(more)
            self._seen, self._needs_new_path = 0, False
        else:
            self._driver.extend(more)
        self._given = len(stretch)
        return True
