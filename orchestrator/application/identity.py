"""Who acts: the one port that says it, from what a request carries and never from its body."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from orchestrator.domain.errors import WardporterError


class PrincipalMissingError(WardporterError):
    """The request does not say who acts, and this act needs to know."""

    code = "principal_missing"


class PrincipalInvalidError(PrincipalMissingError):
    """What the request says about who acts cannot be an id."""

    code = "principal_invalid"


class Identity(Protocol):
    """The way to know who acts."""

    @property
    def header(self) -> str:
        """The name of the header that carries the proof."""
        ...

    def principal_of(self, headers: Mapping[str, str]) -> str:
        """Return the id of who acts; raises `PrincipalMissingError`. Header names are looked up in lower case."""
        ...
