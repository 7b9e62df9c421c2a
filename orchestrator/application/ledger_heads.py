"""Giving the ledger's heads to a second keeper, and stopping the ledger when that keeper knows better.

Every commit that adds entries signs a head. The keeper hands the newest one to the witness with the proof that it grew
from the one the witness keeps. A witness that is not reached stops nothing: what it has not seen yet is counted and
shown. A witness that keeps another ledger's head stops custody acts; reads go on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from orchestrator.application.errors import UnavailableError
from orchestrator.application.ledger_keeping import LedgerTerms
from orchestrator.application.ports import LedgerRepository, Store
from orchestrator.domain.custody.checkpoint import Checkpoint, IsSigned, NoteSignature, SignedHead, signed_head
from orchestrator.domain.custody.ledger_errors import HeadError
from orchestrator.domain.custody.merkle import EMPTY_ROOT, consistency_proof
from orchestrator.domain.custody.witnessing import InconsistentHeadError, StaleHeadError

SENTENCE_ROLLED_BACK = "its witness keeps a head of more entries than it has"
SENTENCE_CHANGED = "its witness keeps a head that it does not begin with"
SENTENCE_FORGED = "its newest head was not signed with its key, or is not over its entries"


class WitnessUnreachableError(UnavailableError):
    """The witness cannot be asked now."""

    code = "witness_unreachable"


class Witness(Protocol):
    """Keeps heads of the ledger where whoever changes the ledger cannot change them."""

    def keep(self, head: SignedHead, *, old: int, proof: Sequence[bytes]) -> tuple[NoteSignature, ...]:
        """Keep a head that is proven to grow from the kept one of ``old`` entries; return the witness's signatures.

        Raises
        ------
        StaleHeadError
            It keeps a head of another size than ``old``, and says which.
        InconsistentHeadError
            The head is not one of the ledger whose head it keeps.
        WitnessUnreachableError
            It cannot be asked.
        """
        ...


class Witnessing(StrEnum):
    """How the ledger stands with its witness."""

    ALONE = "alone"
    AGREED = "agreed"
    UNREACHED = "unreached"
    INCONSISTENT = "inconsistent"


@dataclass(frozen=True, slots=True)
class LedgerStanding:
    """How the ledger stands: its newest head, how much of it a witness keeps, and what is wrong.

    ``size`` is the number of entries, ``witnessed`` how many of them the witness's newest head covers, and
    ``unwitnessed_since`` when the oldest of the others was recorded. ``sentence`` is for people.
    """

    witnessing: Witnessing
    size: int = 0
    witnessed: int = 0
    unwitnessed_since: datetime | None = None
    head: str | None = None
    sentence: str = ""

    @property
    def unwitnessed(self) -> int:
        """How many entries no second keeper knows of."""
        return self.size - self.witnessed


@dataclass(frozen=True, slots=True)
class _Offer:
    head: SignedHead
    proof: tuple[bytes, ...]
    unwitnessed_since: datetime | None


class HeadKeeper:
    """Hands heads to the witness. One thread at a time calls `keep`; any may read `standing`.

    Parameters
    ----------
    store : Store
        The books.
    terms : LedgerTerms
        Whose ledger, and the gate to shut.
    is_signed : callable
        Checks Ed25519 signatures.
    witness : Witness, optional
        The second keeper.
    """

    def __init__(
        self, store: Store, terms: LedgerTerms, *, is_signed: IsSigned, witness: Witness | None = None
    ) -> None:
        self._store = store
        self._terms = terms
        self._is_signed = is_signed
        self._witness = witness
        self._witnessed = 0
        self._has_agreed = False
        self.standing = LedgerStanding(Witnessing.ALONE if witness is None else Witnessing.UNREACHED)

    @property
    def has_news(self) -> bool:
        """Whether the witness has not answered yet, or there are entries that it does not keep."""
        with self._store.reading() as uow:
            size = uow.ledger.size
        return size != self.standing.size or (self._witness is not None and not self._is_settled(size))

    def _is_settled(self, size: int) -> bool:
        return self._terms.gate.why_shut is not None or (self._has_agreed and size == self._witnessed)

    def keep(self) -> LedgerStanding:
        """Hand the newest head over, if it is news, and return how things stand.

        Raises
        ------
        HeadError
            The ledger's own newest head is not signed with its key: the key was lost, or belongs elsewhere.
        """
        if self._terms.signer is None:
            raise HeadError("The heads were refused: nobody signs them; expected the ledger's key. This is a fault.")
        try:
            self.standing = self._kept()
        except WitnessUnreachableError as error:
            self.standing = self._unreached(error.message)
        return self.standing

    def shut(self, why: str) -> LedgerStanding:
        """Stop the ledger because of what somebody found in it, and return how things stand."""
        why = why.rstrip(".")
        self._terms.gate.shut(why)
        self.standing = replace(self.standing, witnessing=Witnessing.INCONSISTENT, sentence=_stopped(why))
        return self.standing

    def _kept(self) -> LedgerStanding:
        offer = self._offer(self._witnessed)
        if offer is None:
            return self.shut(SENTENCE_FORGED)
        head, more = offer.head, ()
        if self._witness is not None and not self._is_settled(head.checkpoint.size):
            try:
                more = self._hand_over(self._witness, offer)
            except StaleHeadError:
                return self.shut(SENTENCE_ROLLED_BACK)
            except (InconsistentHeadError, KeyError):
                return self.shut(SENTENCE_CHANGED)
            self._witnessed, self._has_agreed = head.checkpoint.size, True
        why = self._terms.gate.why_shut
        return LedgerStanding(
            witnessing=self._witnessing(),
            size=head.checkpoint.size,
            witnessed=self._witnessed,
            unwitnessed_since=offer.unwitnessed_since if head.checkpoint.size > self._witnessed else None,
            head=head.with_signatures(more).text,
            sentence="" if why is None else _stopped(why),
        )

    def _witnessing(self) -> Witnessing:
        if self._terms.gate.why_shut is not None:
            return Witnessing.INCONSISTENT
        return Witnessing.ALONE if self._witness is None else Witnessing.AGREED

    def _hand_over(self, witness: Witness, offer: _Offer) -> tuple[NoteSignature, ...]:
        try:
            return witness.keep(offer.head, old=self._witnessed, proof=offer.proof)
        except StaleHeadError as stale:
            # After a start we do not know what the witness keeps; it has told us now.
            if stale.kept_size > offer.head.checkpoint.size or stale.kept_size == self._witnessed:
                raise
            with self._store.reading() as uow:
                proof = consistency_proof(stale.kept_size, offer.head.checkpoint.size, uow.ledger.nodes)
            return witness.keep(offer.head, old=stale.kept_size, proof=proof)

    def _offer(self, witnessed: int) -> _Offer | None:
        """Return the newest head with its proof; None when it is not the head of what is there."""
        with self._store.reading() as uow:
            ledger = uow.ledger
            try:
                head = self._newest(ledger)
                proof = consistency_proof(min(witnessed, ledger.size), ledger.size, ledger.nodes)
            except KeyError:  # the tree has lost nodes
                return None
            if head is None:
                return None
            first = ledger.entry(witnessed).recorded_at if witnessed < ledger.size else None
            return _Offer(head, proof, first)

    def _newest(self, ledger: LedgerRepository) -> SignedHead | None:
        signer = self._terms.signer
        assert signer is not None, "heads are kept by whoever signs them"
        here = Checkpoint(self._terms.origin, ledger.size, ledger.frontier().root())
        text = ledger.newest_head()
        if text is None:
            return signed_head(here, signer.key, signer.sign) if here.root == EMPTY_ROOT else None
        try:
            head = SignedHead.parse(text)
            return head if head.require_signed(signer.key, self._is_signed) == here else None
        except HeadError:
            return None

    def _unreached(self, why: str) -> LedgerStanding:
        offer = self._offer(self._witnessed)
        size = self.standing.size if offer is None else offer.head.checkpoint.size
        return LedgerStanding(
            witnessing=Witnessing.UNREACHED,
            size=size,
            witnessed=self._witnessed,
            unwitnessed_since=None if offer is None else offer.unwitnessed_since,
            head=None if offer is None else offer.head.text,
            sentence=f"{why} {size - self._witnessed} entries are not kept by a second keeper.",
        )


def _stopped(why: str) -> str:
    return (
        f"Custody acts are stopped: the ledger is not to be trusted, {why}. Work on paper; have the accountable "
        "officer compare the ledger with its kept heads (wardporter ledger verify)."
    )
