"""``wardporter pki …``: the private authority of a house, its certificates, and the broker's files.

Exit codes: 0 done, 1 done and not well (files differ, a broker that could not be told), 2 refused.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from orchestrator.adapters.clock import SystemClock
from orchestrator.adapters.config.fleet_file import load_fleet
from orchestrator.adapters.config.site_file import load_site
from orchestrator.adapters.pki.authority import Authority
from orchestrator.adapters.pki.deployment import (
    BrokerPlan,
    account_for_broker,
    has_plan,
    keep_plan,
    read_plan,
    require_account,
    stale_files,
    without_access,
    write_broker_files,
)
from orchestrator.adapters.pki.errors import CertificateThereError, IdentityError
from orchestrator.adapters.pki.files import read_whole
from orchestrator.adapters.pki.identity import BROKER, SERVICE, Identity, IdentityKind
from orchestrator.adapters.pki.mosquitto import GATEWAY
from orchestrator.adapters.pki.register import Issued
from orchestrator.adapters.pki.reload import Told, end_connection, reload_broker
from orchestrator.adapters.pki.telling_service import quarantine_in_service
from orchestrator.devices.address import DeviceKind
from orchestrator.domain.errors import NotFoundError, WardporterError
from orchestrator.domain.fleet.fleet import Fleet
from orchestrator.domain.fleet.model import RobotId
from orchestrator.domain.site.model import Site
from orchestrator.domain.site.survey.traffic_findings import counted
from orchestrator.settings import Settings

app = typer.Typer(help="Certificates of robots, devices and the service, and the broker's files.", no_args_is_help=True)

UNWELL_EXIT = 1
REFUSED_EXIT = 2
SOON = timedelta(days=60)
THIS_MACHINE = ("localhost", "127.0.0.1")
EVERYWHERE = "0.0.0.0"  # see BrokerPlan.listen

FolderOption = Annotated[
    Path | None, typer.Option("--folder", help="Folder of the authority; `pki` in the data folder when left out.")
]
FleetOption = Annotated[
    Path | None, typer.Option("--fleet", help="Fleet file; when left out the one named last, at first the demo fleet.")
]
DaysOption = Annotated[int | None, typer.Option("--days", help="How long the certificate holds.", min=1, max=3653)]
RenewOption = Annotated[
    bool, typer.Option("--renew", help="Replace what is there; the old certificate holds until it ends or is revoked.")
]
RequestOption = Annotated[
    Path | None, typer.Option("--csr", help="Signing request in PEM; the key then never leaves the robot.")
]


class UnknownRobotError(NotFoundError):
    """The fleet file has no such robot."""

    code = "pki_unknown_robot"


class UnknownDeviceError(NotFoundError):
    """The site file has no such door, lift or panel."""

    code = "pki_unknown_device"


@app.command()
def init(
    host: Annotated[
        list[str] | None,
        typer.Option(
            help="Name or address that robots reach the broker under; again for more. Without it: this machine alone."
        ),
    ] = None,
    folder: FolderOption = None,
    fleet: FleetOption = None,
    name: Annotated[str, typer.Option(help="Of the house, for whoever looks at a certificate.")] = "hospital",
    listen: Annotated[
        str | None, typer.Option(help="Address the broker listens on; every one of this machine once a host is named.")
    ] = None,
    port: Annotated[int, typer.Option(help="TCP port of the broker.", min=1, max=65535)] = 8883,
    broker_folder: Annotated[
        str | None, typer.Option(help="Where the broker's files lie on its machine, when it is another one.")
    ] = None,
    run_as: Annotated[
        str | None, typer.Option(help="Account Mosquitto changes to when root starts it; `mosquitto` by default.")
    ] = None,
) -> None:
    """Make the authority, the broker's and the service's certificates, and Mosquitto's configuration."""
    with _refusals():
        where, settings = _folder(folder), _settings(fleet)
        plan = BrokerPlan(
            hosts=tuple(host) if host else THIS_MACHINE,
            site=load_site(settings.site).id,
            listen=listen or (EVERYWHERE if host else THIS_MACHINE[-1]),
            port=port,
            folder=broker_folder,
            user=run_as if run_as is not None else account_for_broker(),
        )
        plan = _with_fleet(plan, fleet)
        require_account(plan.user)
        robots = _fleet_of(plan)
        for each in robots.robots:
            Identity(IdentityKind.ROBOT, each)  # a name that cannot stand in a certificate is refused before we begin
        authority = _begun(where, name=name)
        authority.issue(BROKER, hosts=plan.hosts, renews=True)
        authority.issue(SERVICE, renews=True)
        write_broker_files(authority, plan, robots.robots.values())
        keep_plan(authority, plan)  # last: without it this command was interrupted, and may be run again
    typer.echo(f"The authority is in {where}; keep {where / 'authority'} to yourself and in a safe copy.")
    typer.echo(f"Start the broker:  mosquitto -c {authority.broker_folder / 'mosquitto.conf'}")
    typer.echo(f"Tell the service:  WARDPORTER_MQTT_URL={plan.url} WARDPORTER_MQTT_TLS={authority.folder_of(SERVICE)}")
    typer.echo("Then give each robot its certificate: wardporter pki robot NAME")


@app.command()
def robot(
    name: Annotated[str, typer.Argument(help="Id of the robot in the fleet file.")],
    folder: FolderOption = None,
    fleet: FleetOption = None,
    days: DaysOption = None,
    renew: RenewOption = False,
    csr: RequestOption = None,
) -> None:
    """Make a robot's certificate, and let it speak on its own topics and no others."""
    with _refusals():
        _require_robot(_fleet_of(_with_fleet(read_plan(_authority(folder)), fleet)), name)
        _issue(folder, fleet, Identity(IdentityKind.ROBOT, name), days=days, renew=renew, csr=csr)


@app.command()
def device(
    kind: Annotated[str, typer.Argument(help="door, lift, panel or call; gateway for what speaks for all of them.")],
    name: Annotated[str, typer.Argument(help="Id of the device in the site file.")],
    folder: FolderOption = None,
    fleet: FleetOption = None,
    days: DaysOption = None,
    renew: RenewOption = False,
    csr: RequestOption = None,
) -> None:
    """Make the certificate of a door, a lift, a fire panel or a call button."""
    with _refusals():
        if kind not in (kinds := (*DeviceKind, GATEWAY)):
            raise IdentityError(f"{kind!r} is no kind of device: expected {', '.join(kinds)}.")
        _require_device(folder, kind, name)
        _issue(folder, fleet, Identity(IdentityKind.DEVICE, f"{kind}.{name}"), days=days, renew=renew, csr=csr)


@app.command()
def observer(
    name: Annotated[str, typer.Argument(help="Who or what looks on.")],
    folder: FolderOption = None,
    fleet: FleetOption = None,
    days: DaysOption = None,
    renew: RenewOption = False,
) -> None:
    """Make a certificate that may hear every robot and say nothing."""
    with _refusals():
        _issue(folder, fleet, Identity(IdentityKind.OBSERVER, name), days=days, renew=renew, csr=None)


@app.command()
def service(folder: FolderOption = None, fleet: FleetOption = None, days: DaysOption = None) -> None:
    """Renew the service's certificate."""
    with _refusals():
        _issue(folder, fleet, SERVICE, days=days, renew=True, csr=None)


@app.command()
def broker(folder: FolderOption = None, fleet: FleetOption = None, days: DaysOption = None) -> None:
    """Renew the broker's certificate."""
    with _refusals():
        _issue(folder, fleet, BROKER, days=days, renew=True, csr=None)


@app.command()
def revoke(
    name: Annotated[str, typer.Argument(help="Id of a robot, or kind:name as `wardporter pki list` shows it.")],
    folder: FolderOption = None,
    fleet: FleetOption = None,
    service_url: Annotated[str | None, typer.Option(help="Of the service; on its usual port when left out.")] = None,
) -> None:
    """Take back every certificate of a robot or device; end its connection and quarantine it, where both run here."""
    with _refusals():
        authority, settings = _authority(folder), _settings(fleet)
        plan = _with_fleet(read_plan(authority), fleet)
        robots = _fleet_of(plan)
        require_account(plan.user)
        identity = _named(name)
        taken = authority.revoke(identity)
        keep_plan(authority, plan)
        write_broker_files(authority, plan, robots.robots.values())
    _tell_who_may_nothing(authority, robots)
    typer.echo(f"Taken back: {counted(len(taken), 'certificate')} of {identity.common_name}.")
    told = reload_broker(authority)
    typer.echo(told.sentence)
    if told.has_reloaded:
        told = end_connection(authority, identity, host=plan.hosts[0], port=plan.port)
        typer.echo(told.sentence)
    if identity.kind is IdentityKind.ROBOT:
        url = service_url or f"http://{settings.host}:{settings.port}"
        typer.echo(
            quarantine_in_service(
                identity.name, url=url, key=f"revoked-{taken[-1].serial:x}", token=os.environ.get("WARDPORTER_TOKEN")
            ).sentence
        )
    _end_unless_well(told)


@app.command("list")
def list_certificates(folder: FolderOption = None) -> None:
    """Show every certificate, when it ends, and what was taken back."""
    with _refusals():
        authority = _authority(folder)
        now = authority.now()
    for issued in sorted(authority.register.issued, key=lambda each: (each.identity.common_name, each.start)):
        typer.echo(f"{issued.identity.common_name:40} {issued.serial:040x}  {_condition(issued, now)}")


@app.command()
def mosquitto(
    folder: FolderOption = None,
    fleet: FleetOption = None,
    check: Annotated[bool, typer.Option("--check", help="Change nothing; exit code 1 when files are stale.")] = False,
    port: Annotated[int | None, typer.Option(help="Change the TCP port.", min=1, max=65535)] = None,
    listen: Annotated[str | None, typer.Option(help="Change the address it listens on.")] = None,
    broker_folder: Annotated[str | None, typer.Option(help="Change where its files lie on its machine.")] = None,
    run_as: Annotated[str | None, typer.Option(help="Change the account it runs as.")] = None,
) -> None:
    """Write Mosquitto's configuration and access list again, after the fleet file or the plan has changed."""
    with _refusals():
        authority, settings = _authority(folder), _settings(fleet)
        kept = _with_fleet(read_plan(authority), fleet)
        robots = _fleet_of(kept)
        site = load_site(settings.site).id if "site" in settings.model_fields_set else kept.site
        changes = {"port": port, "listen": listen, "folder": broker_folder, "user": run_as}
        given = {key: value for key, value in changes.items() if value is not None}
        plan = replace(kept, site=site, **given)
        if not check:
            require_account(plan.user)
            _write_and_reload(authority, plan, robots)
            return
        stale = stale_files(authority, plan, robots.robots.values())
    for path in stale:
        typer.echo(f"{path} differs from what the fleet and the certificates ask for.")
    if stale:
        raise typer.Exit(UNWELL_EXIT)
    typer.echo("The broker's files fit fleet and certificates.")


def _issue(
    folder: Path | None, fleet: Path | None, identity: Identity, *, days: int | None, renew: bool, csr: Path | None
) -> None:
    authority = _authority(folder)
    plan = _with_fleet(read_plan(authority), fleet)
    robots = _fleet_of(plan)
    require_account(plan.user)
    hosts = plan.hosts if identity.kind.is_server else ()
    request = read_whole(csr) if csr is not None else None
    issued = authority.issue(identity, hosts=hosts, days=days, renews=renew, request=request)
    typer.echo(f"{identity.common_name} holds until {issued.end:%Y-%m-%d}: {authority.folder_of(identity)}")
    _write_and_reload(authority, plan, robots)


def _write_and_reload(authority: Authority, plan: BrokerPlan, fleet: Fleet) -> None:
    keep_plan(authority, plan)
    for path in write_broker_files(authority, plan, fleet.robots.values()):
        typer.echo(f"Written: {path}")
    _tell_who_may_nothing(authority, fleet)
    typer.echo(reload_broker(authority).sentence)


def _tell_who_may_nothing(authority: Authority, fleet: Fleet) -> None:
    for who in without_access(authority, fleet.robots.values()):
        typer.echo(
            f"{who.common_name} has a certificate and may say and hear nothing: fleet {fleet.id} does not have it. "
            f"Name its fleet file with --fleet, or take it back with `wardporter pki revoke {who.name}`."
        )


def _end_unless_well(told: Told) -> None:
    if not told.has_reloaded:
        raise typer.Exit(UNWELL_EXIT)


def _condition(issued: Issued, now: datetime) -> str:
    if issued.revoked_at is not None:
        return f"taken back {issued.revoked_at:%Y-%m-%d %H:%M} UTC"
    if not issued.counts_at(now):
        return f"ended {issued.end:%Y-%m-%d}"
    soon = "; ends soon, renew it" if issued.end - now < SOON else ""
    return f"until {issued.end:%Y-%m-%d}{soon}"


def _named(name: str) -> Identity:
    """Return who is meant: ``kind:name``, or the id of a robot."""
    kind, colon, _ = name.partition(":")
    if colon and kind in set(IdentityKind):
        return Identity.from_common_name(name)
    return Identity(IdentityKind.ROBOT, name)


def _require_robot(fleet: Fleet, name: str) -> None:
    if RobotId(name) not in fleet.robots:
        raise UnknownRobotError(
            f"Fleet {fleet.id} has no robot {name!r}; expected one of {', '.join(sorted(fleet.robots))}. Add it to the "
            "fleet file first, or name the file with --fleet.",
            detail={"robot": name},
        )


def _require_device(folder: Path | None, kind: str, name: str) -> None:
    """Refuse a device that the site of this house does not have; call buttons and gateways stand in no site file."""
    site = load_site(Settings().site)
    if site.id != read_plan(_authority(folder)).site:
        typer.echo(f"The site file at hand is that of {site.id}, another house: nobody looked whether {name} is real.")
        return
    known = _devices_of(site).get(kind)
    if known is not None and name not in known:
        expected = f"one of {', '.join(sorted(known))}" if known else f"another kind: it has no {kind} at all"
        raise UnknownDeviceError(
            f"Site {site.id} has no {kind} {name!r}; expected {expected}. Correct the name, or add the {kind} to the "
            "site file first and name the file in WARDPORTER_SITE.",
            detail={"kind": kind, "device": name},
        )


def _devices_of(site: Site) -> dict[str, Collection[str]]:
    return {DeviceKind.DOOR: site.doors, DeviceKind.LIFT: site.lifts, DeviceKind.PANEL: site.panels}


def _authority(folder: Path | None) -> Authority:
    return Authority(_folder(folder), now=_now())


def _folder(folder: Path | None) -> Path:
    return folder if folder is not None else Settings().data / "pki"


def _settings(fleet: Path | None) -> Settings:
    return Settings() if fleet is None else Settings(fleet=fleet)


def _begun(folder: Path, *, name: str) -> Authority:
    """Return a new authority, or the one that an interrupted setting up has left."""
    try:
        return Authority.create(folder, name=name, now=_now())
    except CertificateThereError:
        if has_plan(folder):
            raise
        return Authority(folder, now=_now())


def _with_fleet(plan: BrokerPlan, fleet: Path | None) -> BrokerPlan:
    """Return the plan with the fleet file that is named now; without one, that which was named last stays.

    Every command writes the access list from it, and a fleet that nobody meant would shut out all robots.
    """
    settings = _settings(fleet)
    is_named = "fleet" in settings.model_fields_set
    return replace(plan, fleet=str(settings.fleet.absolute())) if is_named else plan


def _fleet_of(plan: BrokerPlan) -> Fleet:
    return load_fleet(Settings().fleet if plan.fleet is None else Path(plan.fleet))


def _now() -> Callable[[], datetime]:
    return SystemClock().now


@contextmanager
def _refusals() -> Iterator[None]:
    """End with exit code 2 and the sentence when something is refused."""
    try:
        yield
    except WardporterError as error:
        typer.echo(f"Refused ({error.code}):\n{error.message}", err=True)
        raise typer.Exit(REFUSED_EXIT) from error
    except ValidationError as error:
        typer.echo(f"Refused (settings):\n{error}", err=True)
        raise typer.Exit(REFUSED_EXIT) from error
