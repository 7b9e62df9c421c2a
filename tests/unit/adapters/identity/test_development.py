from __future__ import annotations

import pytest

from orchestrator.adapters.identity.development import DevelopmentIdentity, LoopbackOnlyError, require_loopback
from orchestrator.application.identity import Carried, PrincipalInvalidError, PrincipalMissingError
from orchestrator.domain.people.model import Principal, PrincipalKind, Role
from simulation.memory_store import MemoryStore
from tests.support.deliveries import NOON
from tests.support.staff import cheap_secrets


def proven(headers: dict[str, str], *, is_reading: bool = False) -> Principal:
    with MemoryStore().reading() as uow:
        identity = DevelopmentIdentity(cheap_secrets())
        return identity.prove(uow, Carried(headers, {}, is_reading), at=NOON).principal


def test_header_says_who_acts_in_every_role_and_proves_no_person() -> None:
    principal = proven({"wardporter-principal": "ward-a.nurse_1"})
    assert principal == Principal("ward-a.nurse_1", PrincipalKind.DEVELOPMENT, frozenset(Role))


def test_missing_header_is_named() -> None:
    with pytest.raises(PrincipalMissingError, match="Wardporter-Principal"):
        proven({})


def test_who_only_reads_need_not_say_who_they_are() -> None:
    assert proven({}, is_reading=True).id == "development"


@pytest.mark.parametrize("claimed", ["", "a b", "a" * 65, "../x", "nurse\n", "é"])
def test_header_that_is_no_id_is_refused(claimed: str) -> None:
    with pytest.raises(PrincipalInvalidError, match="1 to 64"):
        proven({"wardporter-principal": claimed})


def test_a_token_that_nobody_has_is_refused_here_too() -> None:
    with pytest.raises(PrincipalInvalidError):
        proven({"authorization": "Bearer made-up", "wardporter-principal": "nurse-1"})


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.8.8", "::1", "[::1]"])
def test_loopback_may_be_listened_on(host: str) -> None:
    require_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.4", "hospital.example", "", "localhost.example"])
def test_anything_else_is_refused_while_headers_are_believed(host: str) -> None:
    with pytest.raises(LoopbackOnlyError, match=r"127\.0\.0\.1"):
        require_loopback(host)
