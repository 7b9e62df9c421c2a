"""Reading the custody ledger from outside: verification and export, of a store or of an export alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from orchestrator.adapters.ledger_key import is_signed
from orchestrator.adapters.store.ledger_reading import stored_ledger
from orchestrator.adapters.witness import kept_heads
from orchestrator.domain.custody.audit import Audit, BadLedgerError
from orchestrator.domain.custody.checkpoint import KeyName, SignedHead
from orchestrator.domain.custody.comparison import require_kept_heads
from orchestrator.domain.custody.export import ExportTitle, audited, head_line
from orchestrator.domain.custody.ledger_errors import HeadError
from orchestrator.domain.custody.origin import LedgerOrigin

LEDGER_FOLDER = "ledger"


def audit_stored(url: str, key: KeyName, heads: Sequence[SignedHead] = ()) -> Audit:
    """Read a store's whole ledger as an auditor does, and compare it with its own heads and with kept ones.

    Raises
    ------
    BadLedgerError
        It is not what was written; the sentence names the first entry that is wrong.
    HeadError
        A kept head is of another ledger.
    """
    with stored_ledger(url) as ledger:
        audit = ledger.audit(sizes=[head.checkpoint.size for head in heads])
        require_kept_heads(audit, heads, key=key, is_signed=is_signed)
        ledger.require_own_heads(audit, key=key, is_signed=is_signed)
    return audit


@dataclass(frozen=True, slots=True)
class Verified:
    """A ledger that was found good: whose it is, how many entries, its root, how many kept heads it agrees with."""

    origin: LedgerOrigin
    size: int
    root: bytes
    heads: int


def verify_store(url: str, *, data: Path, heads: Sequence[Path], key: Path | None) -> Verified:
    """Verify the ledger of a store, beside a service that runs or not; raises as `audit_stored`."""
    kept = read_heads(heads)
    with stored_ledger(url) as ledger:
        origin = ledger.origin
    audit = audit_stored(url, read_key(key or public_key_file(data, origin)), kept)
    return Verified(origin, audit.size, audit.root, len(kept))


def verify_export(file: Path, *, heads: Sequence[Path], key: Path | None) -> Verified:
    """Verify an export alone; raises `ExportError` and as `audit_stored`."""
    kept = read_heads(heads)
    with file.open("rb") as lines:
        title = ExportTitle.parse(lines.readline())
        if key is not None and read_key(key) != title.key:
            raise BadLedgerError("The export is bad: it names another key than yours; it was written under that key.")
        audit, _own = audited(title, lines, is_signed=is_signed, sizes=[head.checkpoint.size for head in kept])
    require_kept_heads(audit, kept, key=title.key, is_signed=is_signed)
    return Verified(title.origin, audit.size, audit.root, len(kept))


def export_store(url: str, *, data: Path, out: Path) -> int:
    """Write an export of a store's ledger, as it stands, and return how many entries it has.

    Raises
    ------
    HeadError
        The ledger has no head yet: nothing has been entered.
    """
    with stored_ledger(url) as ledger:
        head = ledger.newest_head()
        if head is None:
            raise HeadError("The export was refused: the ledger has no entries yet; expected some. Enter one first.")
        title = ExportTitle(ledger.origin, read_key(public_key_file(data, ledger.origin)))
        with out.open("wb") as file:
            file.write(title.line)
            file.writelines(ledger.export_lines())
            file.write(head_line(head))
        return head.checkpoint.size


def newest_head(url: str) -> SignedHead | None:
    """Return the newest signed head of a store's ledger."""
    with stored_ledger(url) as ledger:
        return ledger.newest_head()


def public_key_file(data: Path, origin: LedgerOrigin) -> Path:
    """Return the file with the public key of a service's ledger."""
    return data / LEDGER_FOLDER / ("ledger-simulation.pub" if origin.is_simulation else "ledger.pub")


def read_key(file: Path) -> KeyName:
    """Return the public key that a file states; raises `HeadError`."""
    return KeyName.parse(file.read_text(encoding="utf-8"))


def read_heads(places: Sequence[Path]) -> list[SignedHead]:
    """Return the heads in files, and in the directories of witnesses; raises `HeadError`."""
    files: list[Path] = []
    for place in places:
        found = kept_heads(place) if place.is_dir() else [place]
        if not found:
            raise HeadError(
                f"The directory {place.name} was refused: it holds no kept head; expected that of a witness, as "
                "WARDPORTER_LEDGER_WITNESS names it. Look for the right one."
            )
        files += found
    heads: list[SignedHead] = []
    for file in files:
        try:
            heads.append(SignedHead.parse(file.read_text(encoding="utf-8")))
        except (HeadError, UnicodeDecodeError) as error:
            raise HeadError(f"The file {file.name} was refused: it holds no kept head. {error}") from error
    return heads
