"""Joining the parts that read codes; apart from the rest, because a scan from the command line joins nothing else."""

from __future__ import annotations

from collections.abc import Iterable

from orchestrator.adapters.barcodes.gs1 import GsBarcodes
from orchestrator.adapters.config.fleet_file import read_fleet
from orchestrator.application.scanning import Scanner
from orchestrator.domain.fleet.model import Commissioning, Robot
from orchestrator.settings import Settings


def are_simulated(robots: Iterable[Robot]) -> bool:
    """Whether every robot is simulated; then patients, books and ledger are too."""
    return all(robot.commissioning is Commissioning.SIMULATED for robot in robots)


def scanner_from_settings(settings: Settings) -> Scanner:
    """Return the reader of codes that the service of these settings reads with.

    Raises
    ------
    WardporterError
        The fleet cannot be read, so nobody knows whether its patients are simulated.
    """
    fleet = read_fleet(settings.fleet).fleet()
    return Scanner(GsBarcodes(), is_simulation=are_simulated(fleet.robots.values()))
