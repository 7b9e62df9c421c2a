from __future__ import annotations

import pytest

from orchestrator.adapters.identity.development import DevelopmentIdentity, LoopbackOnlyError, require_loopback
from orchestrator.application.identity import PrincipalInvalidError, PrincipalMissingError


def test_header_says_who_acts() -> None:
    assert DevelopmentIdentity().principal_of({"wardporter-principal": "ward-a.nurse_1"}) == "ward-a.nurse_1"


def test_missing_header_is_named() -> None:
    with pytest.raises(PrincipalMissingError, match="Wardporter-Principal"):
        DevelopmentIdentity().principal_of({})


@pytest.mark.parametrize("claimed", ["", "a b", "a" * 65, "../x", "nurse\n", "é"])
def test_header_that_is_no_id_is_refused(claimed: str) -> None:
    with pytest.raises(PrincipalInvalidError, match="1 to 64"):
        DevelopmentIdentity().principal_of({"wardporter-principal": claimed})


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.8.8", "::1", "[::1]"])
def test_loopback_may_be_listened_on(host: str) -> None:
    require_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.4", "hospital.example", "", "localhost.example"])
def test_anything_else_is_refused_while_headers_are_believed(host: str) -> None:
    with pytest.raises(LoopbackOnlyError, match=r"127\.0\.0\.1"):
        require_loopback(host)
