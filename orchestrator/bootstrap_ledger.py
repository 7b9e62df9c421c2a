"""Joining the parts of the custody ledger: its key, its terms, its witness, and the watch over its heads."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import structlog
from fastapi import FastAPI

from orchestrator.adapters.ledger_key import is_signed, ledger_key, witness_key
from orchestrator.adapters.witness import DirectoryWitness, HttpWitness
from orchestrator.application.calling import Call, call_people
from orchestrator.application.fleet import FleetOnSite
from orchestrator.application.ledger_heads import HeadKeeper, LedgerStanding, Witness, Witnessing
from orchestrator.application.ledger_keeping import LedgerTerms
from orchestrator.application.ports import Clock, Store, UnitOfWork
from orchestrator.bootstrap_audit import LEDGER_FOLDER, audit_stored, read_key
from orchestrator.domain.custody.audit import BadLedgerError
from orchestrator.domain.custody.checkpoint import Checkpoint, KeyName, NoteSignature, cosignature
from orchestrator.domain.custody.contacts import Contacts, Function
from orchestrator.domain.custody.ledger_errors import HeadError
from orchestrator.domain.custody.origin import LedgerOrigin
from orchestrator.domain.custody.pending import LedgerMode
from orchestrator.domain.errors import InvalidInputError
from orchestrator.domain.fleet.model import Commissioning
from orchestrator.http.desk import News, PartReadiness
from orchestrator.http.witness import build_witness
from orchestrator.settings import Settings

log = structlog.get_logger(__name__)

LOOPBACK = ("127.0.0.1", "localhost", "::1")
LEDGER_CHANGED = "ledger_changed"
"""Kind of the event that tells that the ledger stands otherwise with its witness."""

LEDGER_INCONSISTENT = "ledger_inconsistent"
ANSWERING = (Function.PHARMACY, Function.ACCOUNTABLE_OFFICER)
"""The alarm of a ledger that is not to be trusted, and whom it calls."""

EVERY_S = 1.0
"""How long heads are gathered before the newest goes to the witness, in seconds."""

AT_LATEST_S = 10.0
"""How long without news until a witness that was not reached is asked again, in seconds."""


class MixedFleetError(InvalidInputError):
    """A fleet has simulated robots beside those of the ward, so its ledger would be neither."""

    code = "fleet_mixed"


class WitnessSettingError(InvalidInputError):
    """The setting names no witness that can be used."""

    code = "ledger_witness_setting"


def origin_of(fleet: FleetOnSite) -> LedgerOrigin:
    """Return whose ledger a service keeps; raises `MixedFleetError`."""
    simulated = {robot.commissioning is Commissioning.SIMULATED for robot in fleet.robots.values()}
    if len(simulated) > 1:
        raise MixedFleetError(
            "The fleet was refused: some of its robots are simulated and some are not; expected one or the other, so "
            "that no simulated medicine enters a real register. Put them into two fleets with a data folder each."
        )
    return LedgerOrigin(fleet.site.id, is_simulation=simulated != {False})


def ledger_terms(data: Path, origin: LedgerOrigin, mode: LedgerMode) -> LedgerTerms:
    """Return the terms on which a service keeps its ledger, with its key; made at the first start."""
    return LedgerTerms(origin, mode, signer=ledger_key(data / LEDGER_FOLDER, origin))


def head_keeper(settings: Settings, store: Store, terms: LedgerTerms) -> HeadKeeper:
    """Return the keeper of the service's heads, with the witness that the settings name."""
    assert terms.signer is not None, "a service signs its heads"
    witness = None if settings.ledger_witness is None else witness_at(settings.ledger_witness, terms.signer.key)
    return HeadKeeper(store, terms, is_signed=is_signed, witness=witness)


def witness_at(place: str, key: KeyName) -> Witness:
    """Return the witness at a URL or in a directory; raises `WitnessSettingError`."""
    if "://" not in place:
        return DirectoryWitness(Path(place), key=key, is_signed=is_signed)
    url = urlsplit(place)
    if url.scheme != "https" and not (url.scheme == "http" and url.hostname in LOOPBACK):
        raise WitnessSettingError(
            "The witness was refused: its URL is neither https:// nor http:// on this machine; expected one of these, "
            "or a directory. Correct WARDPORTER_LEDGER_WITNESS."
        )
    return HttpWitness(place)


class Run(Protocol):
    """Runs a command in one transaction on the control's thread."""

    async def __call__(self, command: Callable[[UnitOfWork], Any]) -> Any:
        """Run it."""
        ...


class LedgerWatch:
    """Hands heads to the witness while the service runs, reads the whole ledger once, and tells what is wrong.

    Parameters
    ----------
    keeper : HeadKeeper
        The keeper of the service's heads.
    key : KeyName
        The ledger's public key.
    url : str
        The address of the store, to read it as an auditor does.
    clock : Clock
        Time.
    contacts : Contacts
        How people are reached here.
    """

    def __init__(self, keeper: HeadKeeper, *, key: KeyName, url: str, clock: Clock, contacts: Contacts) -> None:
        self._keeper = keeper
        self._key = key
        self._url = url
        self._clock = clock
        self._contacts = contacts
        self._told: LedgerStanding | None = None

    @property
    def standing(self) -> LedgerStanding:
        """How the ledger stands; any thread may ask."""
        return self._keeper.standing

    def readiness(self) -> PartReadiness:
        """Return whether custody acts are recorded, and what people should know of the witness."""
        standing = self.standing
        is_ready = standing.witnessing is not Witnessing.INCONSISTENT
        return PartReadiness(name="ledger", is_ready=is_ready, sentence=standing.sentence)

    def start(self) -> None:
        """Compare the ledger with the kept head, before anybody adds to it."""
        self._keeper.keep()

    async def run(self, run: Run, news: News) -> None:
        """Watch until cancelled."""
        reading = asyncio.create_task(asyncio.to_thread(self._read_all), name="ledger audit")
        count = -1
        try:
            while True:
                await asyncio.to_thread(self._keep)
                await self._tell(run)
                count = await news.later_than(count, timeout_s=AT_LATEST_S)
                await asyncio.sleep(EVERY_S)
        finally:
            await reading

    def _read_all(self) -> None:
        try:
            audit_stored(self._url, self._key)
        except (BadLedgerError, HeadError) as error:
            log.critical("ledger_bad", sentence=error.message)
            self._keeper.shut(error.message)
        except Exception:  # the process edge: a ledger that cannot be read now is read at the next start
            log.exception("ledger_audit_failed")

    def _keep(self) -> None:
        try:
            if self._keeper.has_news:
                self._keeper.keep()
        except Exception:  # the process edge: the next round tries again, and the tail that nobody keeps is shown
            log.exception("ledger_heads_failed")

    async def _tell(self, run: Run) -> None:
        standing, told = self.standing, self._told
        if told is not None and told.witnessing is standing.witnessing:
            return
        self._told = standing
        if told is None and standing.witnessing in (Witnessing.ALONE, Witnessing.AGREED):
            return
        log.warning("ledger_standing", witnessing=standing.witnessing.value, sentence=standing.sentence)
        await run(lambda uow: tell_of_standing(uow, standing, contacts=self._contacts, at=self._clock.now()))


def tell_of_standing(uow: UnitOfWork, standing: LedgerStanding, *, contacts: Contacts, at: datetime) -> None:
    """Tell everybody who listens how the ledger stands with its witness; call people where it is not to be trusted."""
    data = {"witnessing": standing.witnessing.value, "sentence": standing.sentence}
    uow.events.append(at=at, kind=LEDGER_CHANGED, subject="ledger", data=data)
    if standing.witnessing is Witnessing.INCONSISTENT:
        call = Call(LEDGER_INCONSISTENT, standing.sentence, ANSWERING)
        call_people(uow, call, subject="ledger", contacts=contacts, at=at)


def ledger_watch(
    settings: Settings, store: Store, terms: LedgerTerms, *, clock: Clock, contacts: Contacts
) -> LedgerWatch:
    """Return the watch over a service's ledger."""
    assert terms.signer is not None, "a service signs its heads"
    keeper = head_keeper(settings, store, terms)
    return LedgerWatch(keeper, key=terms.signer.key, url=settings.store_url(), clock=clock, contacts=contacts)


def witness_app(folder: Path, *, name: str, ledger_keys: Sequence[Path]) -> tuple[FastAPI, KeyName]:
    """Return the app of a witness that keeps heads of some ledgers in a folder, and its public key."""
    own = witness_key(folder, name=name)

    def cosign(checkpoint: Checkpoint) -> NoteSignature:
        return cosignature(checkpoint, own.key, own.sign, at_s=int(time.time()))

    keys = [read_key(file) for file in ledger_keys]
    kept = {key.name: DirectoryWitness(folder, key=key, is_signed=is_signed, cosign=cosign) for key in keys}
    return build_witness(kept), own.key
