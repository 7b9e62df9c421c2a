"""Joining the parts that print: registers from the books, and the downtime pack while the service runs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

import structlog

from orchestrator.adapters.clock import SystemClock
from orchestrator.adapters.config.policy_file import load_policies
from orchestrator.adapters.config.robot_model_file import load_robot_models
from orchestrator.adapters.config.site_file import load_site
from orchestrator.adapters.papers import register_csv, register_pdf, write_whole, written_pack
from orchestrator.adapters.store.beside import books_beside
from orchestrator.application.downtime import DowntimePack, downtime_pack
from orchestrator.application.ports import Clock, Store
from orchestrator.application.registers import Register, is_pharmacy, register_of
from orchestrator.application.views import RobotPicture
from orchestrator.domain.errors import InvalidInputError
from orchestrator.domain.site.model import PlaceId, Site
from orchestrator.settings import Settings

DOWNTIME_FOLDER = "downtime"
EVERY_S = 60.0
"""How old the downtime pack on the disk may be, in seconds."""

log = structlog.get_logger(__name__)


class ExportFormError(InvalidInputError):
    """A register is asked for as a file of a kind that we do not write."""

    code = "export_form"


def export_register(settings: Settings, *, place: str, medicine: str | None, out: Path) -> Register:
    """Write the register of a place, or of one medicine there, into a file, and return it.

    Parameters
    ----------
    settings : Settings
        Of the service whose books are read; it may run meanwhile.
    place : str
        Id of the place.
    medicine : str or None
        A dm+d code or a drug class; every one without.
    out : Path
        ``*.csv`` or ``*.pdf``.

    Raises
    ------
    WardporterError
        There are no such books, no such register, or no such kind of file.
    OSError
        The file cannot be written; what was there stays.
    """
    if out.suffix.lower() not in (".csv", ".pdf"):
        raise ExportFormError(
            f"The export was refused: {out.name} is neither a table nor a page; expected a name that ends in .csv or "
            ".pdf. Name it so.",
            detail={"file": out.name},
        )
    site = load_site(settings.site, list(load_robot_models(settings.robot_models).values()))
    mode = load_policies(settings.policies).ledger_mode
    with books_beside(settings.store_url(), mode) as (uow, origin):
        register = register_of(
            uow,
            PlaceId(place),
            at=SystemClock().now(),
            is_simulation=origin.is_simulation,
            is_pharmacy=is_pharmacy(site, PlaceId(place)),
            medicine=medicine,
        )
    is_table = out.suffix.lower() == ".csv"
    write_whole(out, register_csv(register).encode() if is_table else register_pdf(register))
    return register


class DowntimeWriter:
    """Keeps a downtime pack on the disk that is a minute old at most.

    Parameters
    ----------
    store : Store
        The books.
    site : Site
        For names.
    robots : callable
        Returns where robots are now; safe from any thread.
    clock : Clock
        Time.
    folder : Path
        Where the pack lies.
    is_simulation : bool
        Whether everything in it is simulated.
    """

    def __init__(
        self,
        store: Store,
        site: Site,
        robots: Callable[[], Sequence[RobotPicture]],
        *,
        clock: Clock,
        folder: Path,
        is_simulation: bool,
    ) -> None:
        self._store = store
        self._site = site
        self._robots = robots
        self._clock = clock
        self._folder = folder
        self._is_simulation = is_simulation

    def pack(self) -> DowntimePack:
        """Return the pack as it is now."""
        with self._store.reading() as uow:
            return downtime_pack(
                uow, self._site, self._robots(), at=self._clock.now(), is_simulation=self._is_simulation
            )

    def write(self) -> None:
        """Write the pack; what goes wrong is logged, and tried again in a minute."""
        try:
            written_pack(self._folder, self.pack())
        except Exception:
            # Whatever it is, the service goes on, and people have to hear that the pack on the disk is old.
            log.exception("downtime_pack_not_written", folder=str(self._folder))

    async def run(self) -> None:
        """Write a pack now, and one each minute, until cancelled; one that is being written is finished."""
        while True:
            writing = asyncio.create_task(asyncio.to_thread(self.write), name="downtime pack")
            try:
                await asyncio.shield(writing)
            except asyncio.CancelledError:
                await writing
                raise
            await asyncio.sleep(EVERY_S)
