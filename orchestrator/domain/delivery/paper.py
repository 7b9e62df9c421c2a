"""A receipt that was signed on paper while the network was down, and is entered afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

NOT_BLIND = "no"


@dataclass(frozen=True, slots=True)
class PaperForm:
    """The paper on which people signed.

    Parameters
    ----------
    occurred_at : datetime
        When they did; aware.
    reference : str
        The number of the form.
    reason : str
        Why it was on paper, in a person's words.
    """

    occurred_at: datetime
    reference: str
    reason: str

    @property
    def facts(self) -> Mapping[str, str]:
        """What entries say of it. Whoever enters a count that was made before has seen it: it is not a blind one."""
        return {"paper": self.reference, "entered_because": self.reason, "counted_blind": NOT_BLIND}
