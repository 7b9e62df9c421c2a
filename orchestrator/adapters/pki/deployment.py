"""Where the broker of a house runs, kept beside the authority, and its files written from what counts now."""

from __future__ import annotations

import json
import os
import pwd
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

from orchestrator.adapters.pki.authority import Authority
from orchestrator.adapters.pki.errors import PkiFolderError
from orchestrator.adapters.pki.files import KEY_MODE, read_whole, write_whole
from orchestrator.adapters.pki.identity import SERVICE, Identity, IdentityKind, require_host
from orchestrator.adapters.pki.mosquitto import (
    ACL_FILE,
    CONFIG_FILE,
    PORT,
    Access,
    Listener,
    access_of_device,
    access_of_observer,
    access_of_robots,
    access_of_service,
    acl_text,
    configuration_text,
)
from orchestrator.domain.fleet.model import Robot

MOSQUITTO_ACCOUNT = "mosquitto"

_PLAN_FILE = "authority/broker.json"


@dataclass(frozen=True, slots=True)
class BrokerPlan:
    """How the broker of a house is run.

    ``folder`` is where its files lie on its own machine, when that is another one; ``user`` is the account that
    Mosquitto changes to when root starts it; ``site`` is the id in the topics of doors and lifts; ``fleet`` is the
    fleet file that the access list is made from, None for the fleet that is built in.

    Raises
    ------
    IdentityError
        A host, or the address it listens on, is neither a name nor an address.
    """

    hosts: tuple[str, ...]
    site: str
    listen: str = "0.0.0.0"  # robots come over the network; certificates keep everybody else out
    port: int = PORT
    folder: str | None = None
    user: str | None = None
    fleet: str | None = None

    def __post_init__(self) -> None:
        for host in (*self.hosts, self.listen):
            require_host(host)

    @property
    def url(self) -> str:
        """The address that robots and service are given."""
        host = f"[{self.hosts[0]}]" if ":" in self.hosts[0] else self.hosts[0]
        return f"mqtts://{host}:{self.port}"


def keep_plan(authority: Authority, plan: BrokerPlan) -> None:
    """Keep the plan beside the authority."""
    text = json.dumps({**asdict(plan), "hosts": list(plan.hosts)}, indent=1) + "\n"
    write_whole(authority.folder / _PLAN_FILE, text.encode(), mode=KEY_MODE)


def read_plan(authority: Authority) -> BrokerPlan:
    """Return the plan that was kept.

    Raises
    ------
    PkiFolderError
        There is none, or it cannot be read.
    """
    path = authority.folder / _PLAN_FILE
    if not path.exists():
        raise PkiFolderError(
            f"The authority in {authority.folder} was never finished: {path} is missing. Run `wardporter pki init` "
            "again, it goes on where it was interrupted; or put the file back from a copy.",
            detail={"path": str(path)},
        )
    try:
        tree = cast("Mapping[str, Any]", json.loads(read_whole(path)))
        return BrokerPlan(**{**tree, "hosts": tuple(tree["hosts"])})
    except (ValueError, KeyError, TypeError) as error:
        raise PkiFolderError(f"{path} cannot be read ({error}). Put it back from a copy.") from error


def has_plan(folder: Path) -> bool:
    """Whether a plan was kept: what sets up a house keeps it last, so one without was interrupted."""
    return (folder / _PLAN_FILE).exists()


def require_account(user: str | None) -> None:
    """Refuse an account that files are to be handed to and that is not there.

    Raises
    ------
    PkiFolderError
        This machine does not know it.
    """
    if user is not None and os.geteuid() == 0:
        _account(user)


def account_for_broker() -> str | None:
    """Return the account that Mosquitto should change to: its own where root would start it, else none."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam(MOSQUITTO_ACCOUNT).pw_name
    except KeyError:
        return "root"


def stale_files(authority: Authority, plan: BrokerPlan, robots: Iterable[Robot]) -> list[Path]:
    """Return which of the broker's files differ from what fleet, register and plan ask for now."""
    wanted = _files(authority, plan, list(robots))
    return [path for path, text in wanted.items() if not path.exists() or read_whole(path) != text]


def without_access(authority: Authority, robots: Iterable[Robot]) -> list[Identity]:
    """Return the robots that have a certificate that counts and are not among these: they may do nothing."""
    known = {Identity(IdentityKind.ROBOT, robot.id) for robot in robots}
    counting = authority.register.counting(authority.now())
    robots_of_ours = (who for who in counting if who.kind is IdentityKind.ROBOT)
    return sorted((who for who in robots_of_ours if who not in known), key=lambda who: who.name)


def write_broker_files(authority: Authority, plan: BrokerPlan, robots: Iterable[Robot]) -> list[Path]:
    """Write configuration, access list and a fresh revocation list; return which of the first two changed."""
    changed = stale_files(authority, plan, fleet := list(robots))
    for path, text in _files(authority, plan, fleet).items():
        write_whole(path, text, mode=KEY_MODE)
    authority.renew_revocations()
    _hand_to(plan.user, authority.broker_folder)
    return changed


def _files(authority: Authority, plan: BrokerPlan, robots: list[Robot]) -> dict[Path, bytes]:
    folder = authority.broker_folder
    where = Path(plan.folder) if plan.folder is not None else folder.absolute()
    listener = Listener(folder=where, host=plan.listen, port=plan.port, user=plan.user)
    counting = authority.register.counting(authority.now())
    access = {who: what for who, what in _access(plan, robots, counting).items() if who in counting}
    return {
        folder / CONFIG_FILE: configuration_text(listener).encode(),
        folder / ACL_FILE: acl_text(access).encode(),
    }


def _access(plan: BrokerPlan, robots: list[Robot], counting: Iterable[Identity]) -> dict[Identity, Access]:
    access = access_of_robots(robots)
    access[SERVICE] = access_of_service(robots, site=plan.site)
    for who in counting:
        if who.kind is IdentityKind.OBSERVER:
            access[who] = access_of_observer(robots)
        elif who.kind is IdentityKind.DEVICE:
            access[who] = access_of_device(who, site=plan.site)
    return access


def _hand_to(user: str | None, folder: Path) -> None:
    """Give the broker's files to the account that reads them, when we are allowed to."""
    if user is None or os.geteuid() != 0:
        return
    account = _account(user)
    for path in (folder, *folder.iterdir()):
        os.chown(path, account.pw_uid, account.pw_gid)


def _account(user: str) -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(user)
    except KeyError as error:
        raise PkiFolderError(
            f"There is no account {user!r} on this machine for the broker to run as. Name another with --run-as, or "
            "make the files where the broker runs."
        ) from error
