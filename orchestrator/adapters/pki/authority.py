"""The private authority of one house: a folder with its key, its register, and the files it hands out.

::

    <folder>/authority/ca.key       the authority's key: whoever has it can be any robot, so keep it off the broker's
                                    machine
    <folder>/authority/register.json
    <folder>/ca.crt                 what everybody trusts
    <folder>/broker/                what the broker reads: its own three files, crl.pem, mosquitto.conf, acl
    <folder>/service/  <folder>/robots/<id>/  <folder>/devices/<kind>.<id>/  <folder>/observers/<name>/
                                    three files each, to be handed over: ca.crt, client.crt, client.key

A certificate is in the register before its files are written, so that none exists which cannot be taken back.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from orchestrator.adapters.pki.certificates import (
    Period,
    Signer,
    authority_certificate,
    certificate_for,
    new_key,
    pem_of,
    pem_of_key,
    public_key_of_request,
    revocation_list,
    signer_from_pem,
)
from orchestrator.adapters.pki.errors import (
    AuthorityEndedError,
    CertificateThereError,
    NoAuthorityError,
    NoCertificateError,
    PkiFolderError,
)
from orchestrator.adapters.pki.files import KEY_MODE, one_at_a_time, read_whole, write_whole
from orchestrator.adapters.pki.identity import Identity, IdentityKind
from orchestrator.adapters.pki.register import Issued, Register

CA_FILE = "ca.crt"
CLIENT_CERTIFICATE = "client.crt"
CLIENT_KEY = "client.key"
SERVER_CERTIFICATE = "server.crt"
SERVER_KEY = "server.key"
REVOCATIONS_FILE = "crl.pem"
BROKER_FOLDER = "broker"

AUTHORITY_DAYS = 3653
DAYS = {
    IdentityKind.BROKER: 397,
    IdentityKind.SERVICE: 397,
    IdentityKind.OBSERVER: 90,
    IdentityKind.ROBOT: 397,
    IdentityKind.DEVICE: 397,
}
"""Days that a certificate holds unless told otherwise."""

REVOCATIONS_DAYS = 397
"""Days until the next revocation list is due; a broker refuses everybody after that, so each command renews it."""

_KEY_FILE = "authority/ca.key"
_REGISTER_FILE = "authority/register.json"


class Authority:
    """The authority that lives in a folder.

    Parameters
    ----------
    folder : Path
        Where `Authority.create` made it.
    now : callable
        Aware time of day.

    Raises
    ------
    NoAuthorityError
        There is none in the folder.
    PkiFolderError
        There is one, but its files cannot be read.
    """

    def __init__(self, folder: Path, *, now: Callable[[], datetime]) -> None:
        self.folder = folder
        self._now = now
        is_begun = (folder / _KEY_FILE).exists() and ((folder / CA_FILE).exists() or _has_signed(folder))
        if not is_begun:
            raise NoAuthorityError(
                f"There is no authority in {folder}. Make one with `wardporter pki init`, or name its folder with "
                "--folder.",
                detail={"folder": str(folder)},
            )
        try:
            self._signer = signer_from_pem(read_whole(folder / CA_FILE), read_whole(folder / _KEY_FILE))
            self._register = Register.from_json(read_whole(folder / _REGISTER_FILE).decode())
        except ValueError as error:
            raise PkiFolderError(
                f"The authority in {folder} cannot be read ({error}). Put back its files from a copy.",
                detail={"folder": str(folder)},
            ) from error

    @classmethod
    def create(cls, folder: Path, *, name: str, now: Callable[[], datetime], days: int = AUTHORITY_DAYS) -> Authority:
        """Make an authority with an empty revocation list; one that is there already is never replaced.

        What an interrupted making left is not one yet: its certificate is written last.

        Raises
        ------
        CertificateThereError
            There is one in the folder.
        """
        with one_at_a_time(folder):
            if (folder / CA_FILE).exists() or _has_signed(folder):
                raise CertificateThereError(
                    f"There is an authority in {folder} already, and every robot trusts it. Use it, or name another "
                    "folder with --folder.",
                    detail={"folder": str(folder)},
                )
            key = new_key()
            certificate = authority_certificate(f"Wardporter {name}"[:64], key, Period.of_days(days, now=now()))
            write_whole(folder / _REGISTER_FILE, Register().to_json().encode(), mode=KEY_MODE)
            write_whole(folder / _KEY_FILE, pem_of_key(key), mode=KEY_MODE)
            write_whole(folder / CA_FILE, pem_of(certificate))
        authority = cls(folder, now=now)
        authority.renew_revocations()
        return authority

    # -- what is known -------------------------------------------------------------------------------------------

    def now(self) -> datetime:
        """Return the time of day it goes by."""
        return self._now()

    @property
    def signer(self) -> Signer:
        """The authority's certificate and key."""
        return self._signer

    @property
    def register(self) -> Register:
        """Every certificate it ever signed."""
        return self._register

    @property
    def broker_folder(self) -> Path:
        """What the broker reads."""
        return self.folder / BROKER_FOLDER

    def folder_of(self, identity: Identity) -> Path:
        """Return where the files of a party lie."""
        return self.folder / identity.folder

    # -- what it does --------------------------------------------------------------------------------------------

    def issue(
        self,
        identity: Identity,
        *,
        hosts: Sequence[str] = (),
        days: int | None = None,
        request: bytes | None = None,
        renews: bool = False,
    ) -> Issued:
        """Sign a certificate and lay out the party's files.

        Parameters
        ----------
        identity : Identity
            Whose it is.
        hosts : sequence of str, optional
            Of the broker: names and addresses it is reached under.
        days : int, optional
            How long it holds.
        request : bytes, optional
            A signing request in PEM; the party keeps its key, and no key is written.
        renews : bool, optional
            Whether a certificate that is there may be replaced. The old one holds until it ends or is taken back.

        Raises
        ------
        AuthorityEndedError
            The authority's own certificate is out of date.
        CertificateThereError
            The party has its files already, and ``renews`` is not set.
        RequestError
            The signing request cannot be used.
        """
        with self._alone():
            self._require_going_on()
            home = self.folder_of(identity)
            names = _names(identity)
            if not renews and identity in self._register.counting(self._now()):
                raise CertificateThereError(
                    f"{identity.common_name} has a certificate that counts, in {home}, and may be using it. Renew it "
                    "with --renew, or take it back first with `wardporter pki revoke`.",
                    detail={"identity": identity.common_name},
                )
            key = None if request is not None else new_key()
            public_key = key.public_key() if key is not None else public_key_of_request(request or b"")
            days_held = DAYS[identity.kind] if days is None else days
            period = Period.of_days(days_held, now=self._now())
            certificate = certificate_for(identity, public_key, signer=self._signer, period=period, hosts=hosts)
            issued = Issued(
                identity, certificate.serial_number, certificate.not_valid_before_utc, certificate.not_valid_after_utc
            )
            self._keep(self._register.with_issued(issued))
            write_whole(home / CA_FILE, pem_of(self._signer.certificate))
            write_whole(home / names[0], pem_of(certificate))
            if key is not None:
                write_whole(home / names[1], pem_of_key(key), mode=KEY_MODE)
            else:
                (home / names[1]).unlink(missing_ok=True)
        return issued

    def revoke(self, identity: Identity) -> tuple[Issued, ...]:
        """Take back every certificate of a party and return those that counted until now; writes the new list.

        Raises
        ------
        NoCertificateError
            It has none that is not taken back already.
        """
        with self._alone():
            now = self._now()
            taken = tuple(each for each in self._register.of(identity) if each.revoked_at is None)
            if not taken:
                known = sorted(each.common_name for each in self._register.counting(now))
                raise NoCertificateError(
                    f"{identity.common_name} has no certificate to take back. Those that count are: "
                    f"{', '.join(known) or 'none'}.",
                    detail={"identity": identity.common_name},
                )
            self._keep(self._register.with_revoked(frozenset(each.serial for each in taken), at=now))
            self._write_revocations()
        return taken

    def renew_revocations(self) -> None:
        """Write the revocation list anew, so that it is far from its end."""
        with self._alone():
            self._write_revocations()

    def _require_going_on(self) -> None:
        end = self._signer.certificate.not_valid_after_utc
        if self._now() >= end:
            raise AuthorityEndedError(
                f"The authority in {self.folder} ended on {end:%Y-%m-%d}: nobody trusts what it signs. Make a new one "
                "in another folder with `wardporter pki init --folder`, and give every party its files from there; or "
                "set this machine's clock, if that is wrong.",
                detail={"folder": str(self.folder)},
            )

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep other commands waiting, and go on from what they wrote."""
        with one_at_a_time(self.folder):
            self._register = Register.from_json(read_whole(self.folder / _REGISTER_FILE).decode())
            yield

    def _keep(self, register: Register) -> None:
        write_whole(self.folder / _REGISTER_FILE, register.to_json().encode(), mode=KEY_MODE)
        self._register = register

    def _write_revocations(self) -> None:
        register = replace(self._register, list_number=self._register.list_number + 1)
        listed = revocation_list(
            register.revocations,
            signer=self._signer,
            number=register.list_number,
            now=self._now(),
            days=REVOCATIONS_DAYS,
        )
        self._keep(register)
        write_whole(self.broker_folder / REVOCATIONS_FILE, pem_of(listed))


def _has_signed(folder: Path) -> bool:
    """Whether there is a register with certificates; unreadable counts as that."""
    path = folder / _REGISTER_FILE
    try:
        return path.exists() and bool(Register.from_json(read_whole(path).decode()).issued)
    except ValueError:
        return True


def _names(identity: Identity) -> tuple[str, str]:
    """Return the file names of a party's certificate and key."""
    return (SERVER_CERTIFICATE, SERVER_KEY) if identity.kind.is_server else (CLIENT_CERTIFICATE, CLIENT_KEY)
