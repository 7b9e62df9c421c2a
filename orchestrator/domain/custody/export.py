"""The ledger as a file that is verified without us: a line that says whose it is, one for each entry, one for its head.

::

    {"ledger":{"format":1,"key":"NAME+ID+KEY","note":"SIMULATION: …","origin":"NAME","simulation":true}}
    {"entry":{…canonical body…},"hash":"…64 hex digits…"}
    {"head":"…the signed head…"}

Lines end in a line feed. Every byte counts: there is one way to write a line.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from orchestrator.domain.custody.audit import Audit, BadLedgerError
from orchestrator.domain.custody.checkpoint import IsSigned, KeyName, SignedHead
from orchestrator.domain.custody.ledger_errors import HeadError
from orchestrator.domain.custody.origin import SIMULATION_LINE, LedgerOrigin
from orchestrator.domain.errors import InvalidInputError

FORMAT = 1
ENTRY_START = b'{"entry":'
HASH_START = b',"hash":"'
END = b'"}\n'
HASH_DIGITS = 64
TAIL = len(HASH_START) + HASH_DIGITS + len(END)


class ExportError(InvalidInputError):
    """The file is not an export of a ledger."""

    code = "ledger_export_invalid"


@dataclass(frozen=True, slots=True)
class ExportTitle:
    """The first line: whose ledger, and by which key its heads are signed."""

    origin: LedgerOrigin
    key: KeyName

    @property
    def line(self) -> bytes:
        """The line as it is written."""
        note = {"note": SIMULATION_LINE} if self.origin.is_simulation else {}
        said = {
            "format": FORMAT,
            "key": self.key.text,
            **note,
            "origin": self.origin.line,
            "simulation": self.origin.is_simulation,
        }
        return _line({"ledger": said})

    @classmethod
    def parse(cls, line: bytes) -> ExportTitle:
        """Return what the first line says; raises `ExportError` for any other than `line` makes."""
        try:
            said = json.loads(line)["ledger"]
            title = cls(LedgerOrigin.parse(said["origin"]), KeyName.parse(said["key"]))
        except (ValueError, KeyError, TypeError, AttributeError, HeadError, InvalidInputError) as error:
            raise _no_export("its first line does not say whose ledger it is") from error
        if title.line != line or title.key.name != title.origin.line:
            raise _no_export("its first line contradicts itself")
        return title


def entry_line(body: bytes, hash_: str) -> bytes:
    """Return the line of an entry."""
    return ENTRY_START + body + HASH_START + hash_.encode() + END


def head_line(head: SignedHead) -> bytes:
    """Return the last line."""
    return _line({"head": head.text})


def _line(said: object) -> bytes:
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def audited(
    title: ExportTitle, lines: Iterator[bytes], *, is_signed: IsSigned, sizes: Sequence[int] = ()
) -> tuple[Audit, SignedHead]:
    """Read an export after its first line to its end; return what it comes to, and its own head.

    Raises
    ------
    BadLedgerError
        An entry is bad, or the export's own head is not over its entries.
    """
    audit = Audit(title.origin.first_hash, sizes=sizes)
    last = b""
    for line in lines:
        if not line.startswith(ENTRY_START):
            last = line
            break
        if line[-TAIL : -TAIL + len(HASH_START)] != HASH_START or not line.endswith(END):
            raise _bad_line(audit.size)
        try:
            stated = line[-HASH_DIGITS - len(END) : -len(END)].decode("ascii")
        except UnicodeDecodeError as error:
            raise _bad_line(audit.size) from error
        audit.take(line[len(ENTRY_START) : -TAIL], stated)
    head = _own_head(last, audit.size)
    if next(lines, None) is not None:
        raise BadLedgerError("The export is bad: lines follow its head; expected the head to be the last.")
    _check_own_head(head, audit, title=title, is_signed=is_signed)
    return audit, head


def _own_head(line: bytes, size: int) -> SignedHead:
    try:
        head = SignedHead.parse(json.loads(line)["head"])
    except (ValueError, KeyError, TypeError, AttributeError, HeadError) as error:
        raise BadLedgerError(
            f"The export is bad after {size} entries: neither an entry nor its head stands there; it was cut off or "
            "changed.",
            entry=size,
        ) from error
    if head_line(head) != line:
        raise BadLedgerError("The export is bad: its last line is written in another way than it is made.")
    return head


def _check_own_head(head: SignedHead, audit: Audit, *, title: ExportTitle, is_signed: IsSigned) -> None:
    try:
        said = head.require_signed(title.key, is_signed)
    except HeadError as error:
        raise BadLedgerError(f"The export's own head is bad. {error.message}") from error
    if said.size != audit.size:
        raise BadLedgerError(
            f"The export is bad: its own head is over {said.size} entries, and it has {audit.size}; entries were added "
            "or taken away.",
            entry=min(said.size, audit.size),
        )
    if said.root != audit.root:
        raise BadLedgerError(
            "The export is bad: its own head is over other entries; the chain was hashed anew. Give kept heads to "
            "learn since when."
        )


def _bad_line(index: int) -> BadLedgerError:
    return BadLedgerError(f"Entry {index} is bad: its line is not one of an export.", entry=index)


def _no_export(found: str) -> ExportError:
    return ExportError(
        f"The file was refused: {found}; expected an export of wardporter ledger export. Export the ledger again."
    )
