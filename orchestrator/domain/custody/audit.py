"""The auditor's own reading of a ledger: every entry is hashed, linked, added up and put into the tree anew.

Nothing of what writes the ledger is used here, neither its tree nor its rules nor its types, so that a fault there does
not hide itself. What is read is bytes: the canonical body of each entry (documented in `canonical`) and the hash that
stands beside it.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from hashlib import sha256
from typing import Any, cast

from orchestrator.domain.errors import WardporterError

KEYS = frozenset(
    (
        "corrects delivery facts index kind line occurred_at opens place postings previous reason recorded_at resolves "
        "signatures v"
    ).split()
)
KINDS = frozenset(
    (
        "opening_balance supplier_receipt sealed resealed received received_different returned quarantined restocked "
        "supplied destroyed broken stock_check discrepancy_resolved correction custody"
    ).split()
)
ACCOUNTS = frozenset(
    "supplier opening cupboard transit quarantine returned patient destroyed broken tolerated over short".split()
)
NEEDS_TWO = frozenset({"opening_balance", "stock_check", "destroyed", "broken", "correction", "discrepancy_resolved"})
WASTED = frozenset({"destroyed", "broken"})
TOLERATES = frozenset({"stock_check", "correction"})
NEVER_BELOW_ZERO = frozenset({"transit", "quarantine", "returned"})

OPENED = "opening_balance"
NEVER_BELOW_ZERO_IN_A_REGISTER = NEVER_BELOW_ZERO | {"cupboard"}
"""Only a register of record has opening balances, and a ledger keeps its mode: from the first one on no cupboard may
be overdrawn. A transit record does not see all that goes into one."""

_scan = json.JSONDecoder().raw_decode

AccountKey = tuple[str, str, str, str, str | None]
"""Account kind, whose, medicine, batch, own_of."""


class BadLedgerError(WardporterError):
    """The ledger is not what it was when it was written; ``entry`` is the first one that is wrong."""

    code = "ledger_bad"

    def __init__(self, sentence: str, *, entry: int | None = None) -> None:
        super().__init__(sentence, detail={} if entry is None else {"entry": entry})
        self.entry = entry


class Tree:
    """The root of RFC 6962, leaf by leaf."""

    def __init__(self) -> None:
        self._peaks: list[tuple[int, bytes]] = []

    def add(self, leaf: bytes) -> None:
        """Take the next leaf, by its hash."""
        peaks = self._peaks
        height = 0
        while peaks and peaks[-1][0] == height:
            leaf = sha256(b"\x01" + peaks.pop()[1] + leaf).digest()
            height += 1
        peaks.append((height, leaf))

    def root(self) -> bytes:
        """Return the root over the leaves so far."""
        if not self._peaks:
            return sha256(b"").digest()
        found = self._peaks[-1][1]
        for _height, peak in reversed(self._peaks[:-1]):
            found = sha256(b"\x01" + peak + found).digest()
        return found


class Audit:
    """Reads a ledger from its first entry on.

    Parameters
    ----------
    first_hash : str
        What the first entry must name as the hash before it: `LedgerOrigin.first_hash`.
    sizes : collection of int
        The sizes at which `roots` keeps the root, to be compared with kept heads.
    """

    def __init__(self, first_hash: str, *, sizes: Collection[int] = ()) -> None:
        self._last_hash = first_hash
        self._sizes = frozenset(sizes)
        self._tree = Tree()
        self.size = 0
        self.roots: dict[int, bytes] = {}
        self.held: dict[AccountKey, int] = {}
        self.open: dict[str, AccountKey] = {}
        self.pending_units: dict[str, int] = {}
        self.resolved: dict[str, int] = {}
        self.bound_for: dict[str, str] = {}
        self._never_below_zero = NEVER_BELOW_ZERO
        self._keep_root()

    @property
    def root(self) -> bytes:
        """The root over the entries so far."""
        return self._tree.root()

    def take(self, body: bytes, stated_hash: str) -> Mapping[str, Any]:
        """Take the next entry and return what it says.

        Raises
        ------
        BadLedgerError
            It, or the one before it, is not what was written.
        """
        index = self.size
        digest = sha256(b"\x00" + body)
        if digest.hexdigest() != stated_hash:
            raise _bad(index, "its text does not have the hash that stands beside it: one of the two was changed")
        said = self._read(body, index)
        self._check_link(said, index)
        try:
            self._check_meaning(said, index)
        except (TypeError, ValueError, AttributeError, LookupError) as error:
            raise _bad(index, "a value in it is not of the kind that is written there") from error
        if said["kind"] == OPENED:
            self._never_below_zero = NEVER_BELOW_ZERO_IN_A_REGISTER
        self._last_hash = stated_hash
        self._tree.add(digest.digest())
        self.size += 1
        self._keep_root()
        return said

    def _keep_root(self) -> None:
        if self.size in self._sizes:
            self.roots[self.size] = self._tree.root()

    def _read(self, body: bytes, index: int) -> Mapping[str, Any]:
        try:
            text = body.decode()
            tree, end = _scan(text)
        except (ValueError, RecursionError) as error:
            raise _bad(index, "its text is not JSON") from error
        said = cast("dict[str, Any]", tree) if isinstance(tree, dict) else {}
        if end != len(text) or said.keys() != KEYS or said["v"] != 1:
            raise _bad(index, "it has not the fields of an entry")
        if not (
            isinstance(said["opens"], list)
            and isinstance(said["postings"], list)
            and isinstance(said["resolves"], list)
            and isinstance(said["signatures"], list)
            and isinstance(said["facts"], dict)
        ):
            raise _bad(index, "a value in it is not of the kind that is written there")
        return said

    def _check_link(self, said: Mapping[str, Any], index: int) -> None:
        if said["index"] != index:
            raise _bad(index, f"an entry that says it is number {said['index']} stands where it was written")
        if said["previous"] != self._last_hash:
            if index == 0:
                raise _bad(0, "it does not link to the beginning of this ledger: it is of another one")
            raise _bad(index - 1, f"it is not the entry that entry {index} was linked to when that was written")

    # -- what entries mean ----------------------------------------------------------------------------------------

    def _check_meaning(self, said: Mapping[str, Any], index: int) -> None:
        kind = said["kind"]
        if kind not in KINDS or not said["place"]:
            raise _bad(index, "its kind is not one of an entry's, or it names no place")
        if not _is_moment(said["occurred_at"]) or not _is_moment(said["recorded_at"]):
            raise _bad(index, "one of its moments is not one")
        if said["occurred_at"] > said["recorded_at"]:
            raise _bad(index, "it happened after it was recorded")
        people = [signature[0] for signature in said["signatures"]]
        postings = said["postings"]
        accounts = {posting[0] for posting in postings}
        is_wasted = not WASTED.isdisjoint(accounts) and any(
            posting[0] in WASTED and posting[5] > 0 for posting in postings
        )
        least = 2 if kind in NEEDS_TWO or is_wasted else 0 if kind == "custody" else 1
        if len(set(people)) != len(people) or len(people) < least:
            raise _bad(index, f"it is not signed by at least {least} different people, each once")
        corrects = said["corrects"]
        if (kind == "correction") != (corrects is not None) or (corrects is not None and not 0 <= corrects < index):
            raise _bad(index, "it corrects no earlier entry")
        if "tolerated" in accounts and kind not in TOLERATES:
            raise _bad(index, "it calls a difference tolerated, and no stock check found it")
        if postings or said["opens"] or said["resolves"]:
            if kind == "custody":
                raise _bad(index, "it moves units, and an entry of its kind moves none")
            self._post(said, postings, index)
        elif kind == "custody" and "pending" in said["facts"]:
            self._redirect(said["facts"], index)

    def _post(self, said: Mapping[str, Any], postings: Sequence[Sequence[Any]], index: int) -> None:
        totals: dict[tuple[str, str, str | None], int] = {}
        changed: dict[AccountKey, int] = {}
        sent: list[tuple[AccountKey, int]] = []
        for account, of, medicine, batch, own_of, units in postings:
            if account not in ACCOUNTS or type(units) is not int or not units:
                raise _bad(index, "a posting of it is not one")
            stock = medicine, batch, own_of
            totals[stock] = totals.get(stock, 0) + units
            key = account, of, medicine, batch, own_of
            changed[key] = changed.get(key, 0) + units
            if account == "transit" and units > 0:
                sent.append((key, units))
        if any(totals.values()):
            raise _bad(index, "its postings do not sum to zero: units appear or vanish")
        self._check_transit(said, sent, changed, index)
        held = self.held
        for key, units in changed.items():
            after = held.get(key, 0) + units
            if after < 0 and units < 0 and key[0] in self._never_below_zero:
                raise _bad(index, f"it takes more from the account {key[0]} of {key[1]} than that holds")
            if after:
                held[key] = after
            else:
                held.pop(key, None)

    def _redirect(self, facts: Mapping[str, Any], index: int) -> None:
        """Take note that something on its way goes to another place from now on."""
        pending, place = facts["pending"], facts.get("to_place", "")
        if pending not in self.open or not place or place == self.bound_for[pending]:
            raise _bad(index, f"it sends {pending} elsewhere, which is not on its way or goes there already")
        self.bound_for[pending] = place

    def _check_transit(
        self,
        said: Mapping[str, Any],
        sent: Sequence[tuple[AccountKey, int]],
        changed: Mapping[AccountKey, int],
        index: int,
    ) -> None:
        """Check what an entry moves in transit; ``sent`` are the units that it puts there, posting by posting."""
        unexplained = {key: units for key, units in changed.items() if key[0] == "transit"}
        for pending in said["resolves"]:
            key = self.open.pop(pending, None)
            if key is None:
                raise _bad(index, f"it resolves {pending}, which was resolved before or never opened")
            unexplained[key] = unexplained.get(key, 0) + self.pending_units.pop(pending)
            self.bound_for.pop(pending)
            self.resolved[pending] = index
        if said["opens"] and len(sent) != len(said["opens"]):
            raise _bad(index, "it opens something else than it puts in transit")
        for pending, (key, units) in zip(said["opens"], sent, strict=False):
            if pending in self.open or pending in self.resolved:
                raise _bad(index, f"it opens {pending}, which was opened before")
            self.open[pending], self.pending_units[pending] = key, units
            self.bound_for[pending] = said["facts"].get("to_place", "")
            unexplained[key] = unexplained.get(key, 0) - units
        if any(unexplained.values()):
            raise _bad(index, "what it moves in transit is not what it opens and resolves")


def _is_moment(text: str) -> bool:
    return len(text) == 27 and text[10] == "T" and text[26] == "Z"


def _bad(index: int, found: str) -> BadLedgerError:
    return BadLedgerError(f"Entry {index} is bad: {found}.", entry=index)
