"""The one place that chooses the parts and joins them: store, clock, broker, building, control, web application."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

import structlog
import uvicorn
from fastapi import FastAPI

from orchestrator.adapters.barcodes.gs1 import GsBarcodes
from orchestrator.adapters.building.last_epoch import LastEpoch
from orchestrator.adapters.building.over_mqtt import MqttBuilding
from orchestrator.adapters.clock import RandomIds, SystemClock
from orchestrator.adapters.config.built_in import DEMO_MEDICINES, built_in
from orchestrator.adapters.config.fleet_file import read_fleet
from orchestrator.adapters.config.medicine_file import load_catalogue
from orchestrator.adapters.config.policy_file import load_policies
from orchestrator.adapters.config.robot_model_file import read_robot_models
from orchestrator.adapters.config.site_file import load_site
from orchestrator.adapters.drawing.level import draw_level
from orchestrator.adapters.grant_key import grant_key
from orchestrator.adapters.identity.development import DevelopmentIdentity, require_loopback
from orchestrator.adapters.identity.secrets import Argon2Secrets, key_in
from orchestrator.adapters.loopback import free_port
from orchestrator.adapters.mqtt.broker import ChildBroker, keep_running
from orchestrator.adapters.mqtt.broker_address import BrokerCredentialError, BrokerLink, TlsFiles
from orchestrator.adapters.mqtt.driver import Driver, LateTransport
from orchestrator.adapters.papers import PrintedPapers
from orchestrator.adapters.store import SqlStore, name_of_store, open_store
from orchestrator.application.books import require_fitting_books
from orchestrator.application.control import Control
from orchestrator.application.fleet import FleetOnSite, FleetPolicy, assemble_fleet
from orchestrator.application.identity import StaffIdentity
from orchestrator.application.ledger_keeping import LedgerTerms
from orchestrator.application.medicine_catalogue import load_medicines
from orchestrator.application.ports import Building, Clock, Ids, UnitOfWork
from orchestrator.application.scanning import Scanner
from orchestrator.application.secrets import Secrets
from orchestrator.application.staff_office import StaffOffice
from orchestrator.application.views import FleetPicture
from orchestrator.bootstrap_ledger import LedgerWatch, ledger_terms, ledger_watch, origin_of
from orchestrator.bootstrap_papers import DOWNTIME_FOLDER, DowntimeWriter
from orchestrator.bootstrap_scanning import are_simulated
from orchestrator.domain.custody.contacts import Contacts
from orchestrator.domain.custody.tote_number import require_company_prefix
from orchestrator.domain.emergency.alarm import AlarmKind
from orchestrator.domain.errors import InvalidInputError, WardporterError
from orchestrator.domain.fleet.model import Commissioning
from orchestrator.domain.policies import VerificationMoment
from orchestrator.durable_folders import make_folder
from orchestrator.http.app import build_app
from orchestrator.http.desk import ControlDoor, Desk, News, PartReadiness
from orchestrator.settings import Settings
from orchestrator.web.pages import router_for
from simulation.building import Machines, SimulatedBuilding

T = TypeVar("T")

log = structlog.get_logger(__name__)

BROKER_FOLDER = "broker"
CERTIFICATE_ENDS_SOON = timedelta(days=30)
LOOPBACK_BROKER = "mqtt://127.0.0.1"


def fleet_from_settings(settings: Settings) -> FleetOnSite:
    """Read site, fleet, models and policies, and join them.

    Raises
    ------
    WardporterError
        A file cannot be read, or they do not fit together; the sentence names file and line.
    """
    reading = read_fleet(settings.fleet, models=read_robot_models(settings.robot_models))
    site = load_site(settings.site, reading.robot_models())
    fleet = reading.fleet(site)
    models = {model.id: model for model in reading.robot_models()}
    policies = load_policies(settings.policies)
    return assemble_fleet(
        site=site,
        robots=fleet.robots,
        models={robot.id: models[robot.model] for robot in fleet.robots.values()},
        policy=FleetPolicy(
            patience_s=policies.wait_before_priority_s / settings.speed_factor,
            may_end_alarms={
                AlarmKind.FIRE: policies.may_end_fire,
                AlarmKind.CRASH_CALL: policies.may_end_crash_call,
            },
            silent_panel_holds=policies.silent_panel_holds,
            share_lift=policies.share_lift,
            clock_skew_max_s=policies.clock_skew_max_s,
            pace=settings.speed_factor,
            custody=replace(
                policies.custody, is_verified_by_queueing=policies.verification is VerificationMoment.QUEUEING
            ),
            dispatch=policies.dispatch,
        ),
        dialects=reading.dialects(site.levels),
    )


def is_simulated(fleet: FleetOnSite) -> bool:
    """Whether every robot of a fleet is simulated; then its patients and its books are too."""
    return are_simulated(fleet.robots.values())


def load_medicines_into_books(settings: Settings, file: Path) -> int:
    """Put the medicines of a file into the books of a service that does not run, and return how many.

    Raises
    ------
    WardporterError
        The file or an entry is refused, or the service runs.
    """
    medicines = load_catalogue(file)
    fleet = fleet_from_settings(settings)
    make_folder(settings.data)
    store = _open_books(settings, fleet, _terms(settings, fleet))
    try:
        with store.transaction() as uow:
            return load_medicines(uow, medicines, is_simulation=is_simulated(fleet))
    finally:
        store.close()


@contextlib.contextmanager
def staff_office(settings: Settings) -> Iterator[StaffOffice]:
    """Open the books for ``wardporter staff``, while no service has them open.

    Raises
    ------
    StoreLockedError
        A service has them open.
    WardporterError
        The settings or the store are refused.
    """
    fleet = fleet_from_settings(settings)
    settings.data.mkdir(parents=True, exist_ok=True)
    secrets = Argon2Secrets(key_in(settings.data))
    store = _open_books(settings, fleet, _terms(settings, fleet))
    try:
        yield StaffOffice(store, secrets, SystemClock(), fleet.site, fleet.premises, RandomIds())
    finally:
        store.close()


def broker_link_from_settings(settings: Settings) -> BrokerLink:
    """Return where the settings say the broker is, and who we are to it; loopback while they name none.

    Raises
    ------
    BrokerCredentialError
        Some files of the credential are named and others are not.
    """
    named = (settings.mqtt_ca, settings.mqtt_cert, settings.mqtt_key)
    tls = TlsFiles.in_folder(settings.mqtt_tls) if settings.mqtt_tls is not None else None
    if any(named):
        if tls is not None or settings.mqtt_ca is None or (settings.mqtt_cert is None) != (settings.mqtt_key is None):
            raise BrokerCredentialError(
                "The credential for the broker was refused: expected its folder in WARDPORTER_MQTT_TLS, or all of "
                "WARDPORTER_MQTT_CA, WARDPORTER_MQTT_CERT and WARDPORTER_MQTT_KEY, or WARDPORTER_MQTT_CA alone for a "
                "broker that asks for no certificate."
            )
        tls = TlsFiles(settings.mqtt_ca, settings.mqtt_cert, settings.mqtt_key)
    return BrokerLink(
        url=settings.mqtt_url or LOOPBACK_BROKER,
        client_id="wardporter-orchestrator",
        tls=tls,
        is_plain_allowed=settings.mqtt_allow_plain,
    )


def warn_of_certificate(link: BrokerLink, *, now: datetime) -> bool:
    """Log that our certificate for the broker ends soon, or has; return whether it does.

    Raises
    ------
    BrokerCredentialError
        It cannot be read.
    """
    ends_at = link.tls.ends_at() if link.tls is not None else None
    if ends_at is None or ends_at - now > CERTIFICATE_ENDS_SOON:
        return False
    log.warning("certificate_ends_soon", ends_at=ends_at.isoformat(), renew_with="wardporter pki service")
    return True


class Door:
    """The door to the control that HTTP is handed; implements `orchestrator.http.desk.ControlDoor`.

    Parameters
    ----------
    control : Control
        What is behind it.
    store : SqlStore
        The one the control was made with; asked whether it works.
    transport : LateTransport
        The one the control was made with.
    broker : BrokerLink
        Where the broker is, and who we are to it.
    ledger : LedgerWatch
        Watches over the ledger while the door is open.
    """

    def __init__(
        self,
        control: Control,
        *,
        store: SqlStore,
        transport: LateTransport,
        broker: BrokerLink,
        ledger: LedgerWatch,
    ) -> None:
        self._store = store
        self._ledger = ledger
        self._news = News()
        self._driver = Driver(
            control,
            transport=transport,
            broker=broker,
            on_change=self._news.tell,
        )

    @property
    def news(self) -> News:
        """Told whenever something may have changed."""
        return self._news

    async def run(self, command: Callable[[UnitOfWork], T]) -> T:
        """Run a use case; durable when this returns."""
        return await self._driver.run(command)

    async def read(self, query: Callable[[UnitOfWork], T]) -> T:
        """Run a query."""
        return await self._driver.read(query)

    def live(self) -> FleetPicture:
        """Return where everything is."""
        return self._driver.picture

    def readiness(self) -> Sequence[PartReadiness]:
        """Return how the store and the broker are."""
        is_up = self._driver.is_broker_connected
        sentence = "" if is_up else "The MQTT broker does not answer; robots keep their orders, and we try again."
        store = PartReadiness(
            name="store",
            is_ready=self._store.is_writable,
            sentence="" if self._store.is_writable else "The store has failed; restart the service.",
        )
        broker = PartReadiness(name="broker", is_ready=is_up, sentence=sentence)
        return (store, broker, self._ledger.readiness())

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Keep the control running until the block ends."""
        async with self._driver.running():
            watch = asyncio.create_task(self._ledger.run(self.run, self._news), name="ledger watch")
            try:
                yield
            finally:
                watch.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await watch


def build_service(settings: Settings) -> FastAPI:
    """Return the whole service as an app; it starts with the app's lifespan and ends with it.

    Raises
    ------
    WardporterError
        Something in the settings is refused; nothing has been started then.
    """
    require_loopback(settings.host)
    link = broker_link_from_settings(settings)
    link.check()
    fleet = fleet_from_settings(settings)
    _require_simulated_for_development(settings, fleet)
    make_folder(settings.data)
    secrets = Argon2Secrets(key_in(settings.data))
    terms = _terms(settings, fleet)
    store = _open_books(settings, fleet, terms)
    _load_first_medicines(store, fleet)
    clock, ids, transport = SystemClock(), RandomIds(), LateTransport()
    ledger = _started_watch(settings, store, terms, clock=clock, contacts=fleet.policy.custody.contacts)
    broker = None if settings.mqtt_url else ChildBroker(settings.data / BROKER_FOLDER)
    link = replace(link, url=broker.start().url) if broker is not None else link
    control = Control(
        fleet=fleet,
        store=store,
        clock=clock,
        ids=ids,
        transport=transport,
        building=_building(settings, fleet, transport=transport, clock=clock),
    )
    door = Door(control, store=store, transport=transport, broker=link, ledger=ledger)
    desk = replace(
        desk_from_settings(settings, fleet, door, secrets=secrets, clock=clock, ids=ids),
        ledger_standing=lambda: ledger.standing,
    )
    pages = router_for(
        desk,
        floor_plans={level: draw_level(fleet.site, level) for level in fleet.site.levels},
        is_simulation=is_simulated(fleet),
    )
    app = build_app(desk, extra_routers=[pages])
    downtime = DowntimeWriter(
        store,
        fleet.site,
        lambda: door.live().robots,
        clock=clock,
        folder=settings.data / DOWNTIME_FOLDER,
        is_simulation=is_simulated(fleet),
    )
    app.router.lifespan_context = lambda _app: _lifespan(door, store=store, broker=broker, downtime=downtime)
    return app


def desk_from_settings(
    settings: Settings, fleet: FleetOnSite, control: ControlDoor, *, secrets: Secrets, clock: Clock, ids: Ids
) -> Desk:
    """Return what requests are served from, as the settings say; its grant key is made when there is none yet."""
    return Desk(
        control=control,
        fleet=fleet,
        site=fleet.site,
        graphs=fleet.graphs,
        is_served=lambda station: fleet.serves(station.id),
        identity=DevelopmentIdentity(secrets) if settings.identity == "development" else StaffIdentity(secrets),
        clock=clock,
        ids=ids,
        scanner=Scanner(GsBarcodes(), is_simulation=is_simulated(fleet)),
        secrets=secrets,
        signer=grant_key(settings.data, is_simulation=is_simulated(fleet)),
        papers=PrintedPapers(),
        company_prefix=require_company_prefix(settings.gs1_prefix),
        own_devices=frozenset(load_policies(settings.policies).own_devices),
    )


class DevelopmentRefusedError(InvalidInputError):
    """Anybody would be believed to be anybody among real robots."""

    code = "development_refused"


def _require_simulated_for_development(settings: Settings, fleet: FleetOnSite) -> None:
    real = [robot.id for robot in fleet.robots.values() if robot.commissioning is not Commissioning.SIMULATED]
    if settings.identity == "development" and real:
        raise DevelopmentRefusedError(
            f"The identity development was refused: robot {real[0]} is real, and everybody would be believed to be "
            "who they say; expected a fleet of simulated robots alone. Set WARDPORTER_IDENTITY=staff, and add staff "
            "with wardporter staff add.",
            detail={"robots": real},
        )


def _building(settings: Settings, fleet: FleetOnSite, *, transport: LateTransport, clock: SystemClock) -> Building:
    if settings.building == "mqtt":
        begin_epoch = LastEpoch(settings.data).begin
        return MqttBuilding(fleet.site, transport=transport, clock=clock, begin_epoch=begin_epoch)
    return SimulatedBuilding(Machines(fleet.site), clock=clock, pace=settings.speed_factor)


def _terms(settings: Settings, fleet: FleetOnSite) -> LedgerTerms:
    return ledger_terms(settings.data, origin_of(fleet), load_policies(settings.policies).ledger_mode)


def _started_watch(
    settings: Settings, store: SqlStore, terms: LedgerTerms, *, clock: SystemClock, contacts: Contacts
) -> LedgerWatch:
    try:
        watch = ledger_watch(settings, store, terms, clock=clock, contacts=contacts)
        watch.start()
    except WardporterError:
        store.close()
        raise
    return watch


def _open_books(settings: Settings, fleet: FleetOnSite, ledger: LedgerTerms) -> SqlStore:
    store = open_store(settings.store_url(), is_standby=settings.standby, ledger=ledger)
    try:
        with store.reading() as uow:
            require_fitting_books(uow, fleet)
    except WardporterError:
        store.close()
        raise
    return store


def _load_first_medicines(store: SqlStore, fleet: FleetOnSite) -> None:
    """Give a simulated fleet the made-up catalogue while its books hold no medicine; a real one gets its hospital's."""
    if not is_simulated(fleet):
        return
    with store.transaction() as uow:
        if not uow.medicines.page(after=None, limit=1):
            load_medicines(uow, load_catalogue(built_in(DEMO_MEDICINES)), is_simulation=True)


@contextlib.asynccontextmanager
async def _lifespan(
    door: Door, *, store: SqlStore, broker: ChildBroker | None, downtime: DowntimeWriter
) -> AsyncIterator[None]:
    watch = asyncio.create_task(keep_running(broker), name="broker watch") if broker is not None else None
    writing: asyncio.Task[None] | None = None
    try:
        async with door.open():
            writing = asyncio.create_task(downtime.run(), name="downtime packs")
            yield
    finally:
        if writing is not None:
            writing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await writing
        if watch is not None and broker is not None:
            watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watch
            # Only an orderly end takes the broker along; after a crash it is still there for the robots and for us.
            await asyncio.to_thread(broker.stop)
        store.close()


def serve(settings: Settings, *, tell: Callable[[str], None]) -> None:
    """Serve until a signal ends it.

    Parameters
    ----------
    settings : Settings
        What to serve, and where.
    tell : callable
        Gets one line for people once the service has been put together.

    Raises
    ------
    WardporterError
        Something in the settings is refused.
    """
    configure_logging()
    require_loopback(settings.host)
    warn_of_certificate(broker_link_from_settings(settings), now=SystemClock().now())
    port = free_port(settings.port, host=settings.host.strip("[]"))
    books = name_of_store(settings.store_url())
    if settings.standby:
        tell(f"Wardporter stands by, and serves as soon as nobody else has the store {books} open. Ctrl-C ends it.")
    app = build_service(settings)
    tell(f"Wardporter serves http://{settings.host}:{port}; its books are in {books}. Ctrl-C ends it.")
    uvicorn.run(app, host=settings.host.strip("[]"), port=port, log_level="warning", timeout_graceful_shutdown=5)


def configure_logging() -> None:
    """Write one line an event to standard error: time, level, event, and ids that are safe to log."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "event"]),
        ],
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
    )
