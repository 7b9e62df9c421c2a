"""Which ledger: of which site, and whether it is real or simulated.

The name is in every signed head, in the key's own name, and, by `first_hash`, in the chain itself: the first entry of
a simulated ledger links to another beginning than that of a real one, so neither is ever a part of the other.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from orchestrator.domain.errors import InvalidInputError

REAL = "wardporter"
SIMULATED = "wardporter.simulation"
SIMULATION_LINE = "SIMULATION: not a register of real medicines"
"""What a simulated ledger's heads and exports say of themselves."""

SITE = re.compile(r"[A-Za-z0-9._-]{1,64}")


@dataclass(frozen=True, slots=True)
class LedgerOrigin:
    """A ledger's site and whether it is a simulated one.

    Raises
    ------
    InvalidInputError
        The site's id cannot be part of an origin line.
    """

    site: str
    is_simulation: bool

    def __post_init__(self) -> None:
        if SITE.fullmatch(self.site) is None:
            raise InvalidInputError(
                "The ledger was refused: the id of its site cannot stand in a head; expected 1 to 64 letters, digits, "
                "dots, underscores or hyphens. Give the site such an id."
            )

    @property
    def line(self) -> str:
        """The origin line of its heads, which is its key's name as well."""
        return f"{SIMULATED if self.is_simulation else REAL}/{self.site}"

    @property
    def extensions(self) -> tuple[str, ...]:
        """What its heads say after size and root."""
        return (SIMULATION_LINE,) if self.is_simulation else ()

    @property
    def first_hash(self) -> str:
        """What the first entry names as the hash before it, in hex."""
        return hashlib.sha256(b"wardporter ledger 1\n" + self.line.encode()).hexdigest()

    @classmethod
    def parse(cls, line: str) -> LedgerOrigin:
        """Return the origin that an origin line names; raises `InvalidInputError`."""
        kind, _, site = line.partition("/")
        if kind not in (REAL, SIMULATED):
            raise InvalidInputError(
                f"The origin was refused: expected {REAL}/SITE or {SIMULATED}/SITE. Use a head of this program's."
            )
        return cls(site, kind == SIMULATED)
