"""``wardporter staff``, on the books themselves and through a service that has them open."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from orchestrator.adapters.clock import SystemClock
from orchestrator.adapters.identity.secrets import Argon2Secrets, key_in
from orchestrator.adapters.store import open_store
from orchestrator.application.sign_in import count_guess
from orchestrator.cli_staff import app
from orchestrator.domain.people.model import Role
from tests.support.house_of_staff import House, a_house
from tests.support.staff import badge_of

NURSE = ("add", "nurse-1", "--role", "nurse", "--place", "ward_alder", "--registration", "12A3456E")
CHECK = ("--identity-check", "Photo on the staff card")


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WARDPORTER_DATA", str(tmp_path))
    monkeypatch.delenv("WARDPORTER_TOKEN", raising=False)


def staff(*words: str, said: str = "") -> Result:
    return CliRunner().invoke(app, list(words), input=said)


def told(result: Result) -> tuple[str, str]:
    assert result.exit_code == 0, result.output
    badge, pin = re.search(r"badge (\w+)\s+PIN\s+(\d{6})", result.output).groups()  # type: ignore[union-attr]
    return badge, pin


def states() -> dict[str, str]:
    return {one["id"]: one["state"] for one in json.loads(staff("list", "--json").output)}


def guess_wrong(folder: Path, badge: str, *, times: int = 5) -> None:
    secrets = Argon2Secrets(key_in(folder))
    store = open_store(f"sqlite:///{folder}/wardporter.sqlite")
    for _ in range(times):
        with store.transaction() as uow:
            count_guess(uow, badge=secrets.digest_badge(badge), device="phone-1", at=SystemClock().now())
    store.close()


def other_than(pin: str) -> str:
    return "903172" if pin != "903172" else "903173"


def wrong_for(pin: str) -> str:
    return "771903" if pin != "771903" else "771904"


def is_known(folder: Path, badge: str, pin: str) -> bool:
    secrets = Argon2Secrets(key_in(folder))
    store = open_store(f"sqlite:///{folder}/wardporter.sqlite")
    with store.reading() as uow:
        found = uow.people.by_badge(secrets.digest_badge(badge))
    store.close()
    return found is not None and secrets.is_pin(pin, found[1].pin)


def test_who_is_added_is_told_a_badge_and_a_pin_that_the_books_know(tmp_path: Path) -> None:
    badge, pin = told(staff(*NURSE))
    secrets = Argon2Secrets(key_in(tmp_path))
    store = open_store(f"sqlite:///{tmp_path}/wardporter.sqlite")
    with store.reading() as uow:
        found = uow.people.by_badge(secrets.digest_badge(badge))
    store.close()
    assert found is not None
    person, credentials = found
    assert (person.id, person.roles) == ("nurse-1", {Role.NURSE})
    assert secrets.is_pin(pin, credentials.pin)
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert badge.encode() not in written


def test_staff_is_listed_and_revoked() -> None:
    assert "adds the first" in staff("list").output
    told(staff(*NURSE))
    assert states() == {"nurse-1": "active"}
    assert staff("revoke", "nurse-1", "--reason", "Left").exit_code == 0
    assert states() == {"nurse-1": "revoked"}
    assert "nurse-1  revoked  nurse  ward_alder" in staff("list").output


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (("add", "nurse-1", "--role", "nurse", "--place", "nowhere", "--registration", "X"), "ward_alder"),
        (("add", "nurse-1", "--role", "nurse", "--place", "ward_alder"), "registration"),
        (("add", "a-1", "--role", "nurse", "--place", "ward_alder", "--registration", "X", "--agency"), "shift"),
        (("add", "a-1", "--role", "porter", "--until", "tomorrow"), "--until tomorrow"),
        (("revoke", "nurse-404", "--reason", "Left"), "Nobody has this id"),
        (("token", "epr"), "at least one role"),
        (("token", "epr", "--revoke"), "No token has this name"),
    ],
)
def test_what_cannot_be_done_is_refused_with_what_to_do(words: tuple[str, ...], part: str) -> None:
    refused = staff(*words)
    assert refused.exit_code == 2
    assert part in refused.output


def test_a_token_is_made_told_once_and_taken_back() -> None:
    assert len(staff("token", "epr", "--role", "pharmacist").output.split()[-1]) >= 43
    assert staff("token", "epr", "--revoke").exit_code == 0
    assert states() == {"epr": "revoked"}


def test_a_lock_is_lifted_at_the_terminal_by_who_may_and_proves_it(tmp_path: Path) -> None:
    badge, _ = told(staff(*NURSE))
    manager = "\n".join(told(staff("add", "manager-1", "--role", "site_manager")))
    porter = "\n".join(told(staff("add", "porter-1", "--role", "porter")))
    guess_wrong(tmp_path, badge)
    assert states()["nurse-1"] == "locked"
    for said, part in ((porter, "no role for it"), (f"{manager[:-6]}000000", "do not fit")):
        refused = staff("unlock", "nurse-1", *CHECK, said=said)
        assert refused.exit_code == 2
        assert part in refused.output
        assert states()["nurse-1"] == "locked"
    assert staff("unlock", "nurse-1", *CHECK, said=manager).exit_code == 0
    assert states()["nurse-1"] == "active"


def test_a_pin_is_changed_at_the_terminal_by_who_proves_it(tmp_path: Path) -> None:
    badge, pin = told(staff(*NURSE))
    for said, part in (
        (f"{badge}\n{pin}\n123456\n123456\n", "run up"),
        (f"{badge}\n{pin}\n12345\n12345\n", "not 6 digits"),
        (f"{badge}\n{wrong_for(pin)}\n903172\n903172\n", "do not fit"),
    ):
        refused = staff("pin", said=said)
        assert refused.exit_code == 2
        assert part in refused.output
    changed = staff("pin", said=f"{badge}\n{pin}\n{other_than(pin)}\n{other_than(pin)}\n")
    assert changed.exit_code == 0, changed.output
    assert not [secret for secret in (badge, pin, other_than(pin)) if secret in changed.output]
    assert staff("pin", said=f"{badge}\n{pin}\n771903\n771903\n").exit_code == 2
    assert is_known(tmp_path, badge, other_than(pin))


def test_a_lost_badge_is_renewed_by_an_administrator_who_proves_it_and_never_their_own(tmp_path: Path) -> None:
    badge, pin = told(staff(*NURSE))
    administrator = "\n".join(told(staff("add", "admin-1", "--role", "administrator")))
    manager = "\n".join(told(staff("add", "manager-1", "--role", "site_manager")))
    for person, said, part in (
        ("nurse-1", manager, "no role for it"),
        ("admin-1", administrator, "for themselves"),
        ("nurse-404", administrator, "Nobody has this id"),
    ):
        refused = staff("renew", person, "--reason", "Lost", said=said)
        assert refused.exit_code == 2
        assert part in refused.output
    renewed = staff("renew", "nurse-1", "--reason", "Lost", "--what", "badge", said=administrator)
    assert renewed.exit_code == 0, renewed.output
    assert "PIN  " not in renewed.output.partition("Told once")[2]
    new_badge = renewed.output.split()[-1]
    assert is_known(tmp_path, new_badge, pin)
    assert not is_known(tmp_path, badge, pin)
    newer = told(staff("renew", "nurse-1", "--reason", "Seen", said=administrator))
    assert is_known(tmp_path, *newer)


def test_a_ward_and_a_role_change_at_the_terminal() -> None:
    told(staff(*NURSE))
    changed = staff("change", "nurse-1", "--place", "ward_birch", "--role", "midwife", "--reason", "Moved")
    assert changed.exit_code == 0, changed.output
    assert "nurse-1  active  midwife  ward_birch" in staff("list").output
    until = ("--until", "2099-01-31T07:30:00+00:00")
    for words, part in (
        (("--place", "nowhere"), "there is no place nowhere"),
        (("--no-place",), "no place is named"),
        ((), "names nothing"),
        ((*until, "--no-end"), "opposite"),
        (("--until", "tomorrow"), "--until tomorrow"),
    ):
        refused = staff("change", "nurse-1", "--reason", "Moved", *words)
        assert refused.exit_code == 2
        assert part in refused.output
    assert "nurse-1  active  midwife  ward_birch" in staff("list").output
    assert staff("change", "nurse-1", "--reason", "Till then", *until).exit_code == 0
    assert staff("change", "nurse-1", "--reason", "Stays", "--no-end").exit_code == 0


# -- while a service has the books open ---------------------------------------------------------------------------


@pytest.fixture
def service(tmp_path: Path) -> Iterator[House]:
    held = open_store(f"sqlite:///{tmp_path}/wardporter.sqlite")
    with a_house(is_served=True) as house:
        yield house
    held.close()


def test_without_a_token_the_command_says_what_to_do_while_a_service_runs(service: House) -> None:
    refused = staff(*NURSE)
    assert refused.exit_code == 2
    assert "WARDPORTER_TOKEN" in refused.output


def test_with_a_token_everything_is_done_through_the_service(service: House, monkeypatch: pytest.MonkeyPatch) -> None:
    service.staff.add_token("office", Role.ADMINISTRATOR)
    monkeypatch.setenv("WARDPORTER_TOKEN", "secret-office")
    url = ("--url", str(service.client.base_url))
    badge, pin = told(
        staff("add", "nurse-9", "--role", "nurse", "--place", "ward-a-handover", "--registration", "X", *url)
    )
    body = {"badge": badge, "pin": pin, "device": "phone-1"}
    assert service.client.post("/api/v1/sessions", json=body).status_code == 201
    assert staff("revoke", "nurse-9", "--reason", "Left", *url).exit_code == 0
    listed = {one["id"]: one["state"] for one in json.loads(staff("list", "--json", *url).output)}
    assert (listed["nurse-9"], listed["office"]) == ("revoked", "active")
    assert staff("token", "epr", "--role", "pharmacist", *url).exit_code == 0
    assert staff("token", "epr", "--revoke", *url).exit_code == 0
    refused = staff("add", "nurse-9", "--role", "porter", *url)
    assert refused.exit_code == 2
    assert "somebody" in refused.output


def test_a_lock_is_lifted_through_the_service_with_badge_and_pin_alone(service: House) -> None:
    for _ in range(5):
        service.sign_in("nurse-a1", pin="000000")
    url = ("--url", str(service.client.base_url))
    refused = staff("unlock", "nurse-a1", *CHECK, *url, said=f"{badge_of('nurse-a2')}\n428615\n")
    assert refused.exit_code == 2
    assert staff("unlock", "nurse-a1", *CHECK, *url, said=f"{badge_of('in-charge-a')}\n428615\n").exit_code == 0
    assert service.sign_in("nurse-a1").status_code == 201


def test_a_pin_a_renewal_and_a_change_go_through_the_service(service: House, monkeypatch: pytest.MonkeyPatch) -> None:
    url = ("--url", str(service.client.base_url))
    badge = badge_of("nurse-a1")
    assert staff("pin", *url, said=f"{badge}\n428615\n000000\n000000\n").exit_code == 2
    assert staff("pin", *url, said=f"{badge}\n428615\n903172\n903172\n").exit_code == 0
    assert service.sign_in("nurse-a1", pin="903172").status_code == 201
    by = f"{badge_of('administrator-1')}\n428615\n"
    assert staff("renew", "administrator-1", "--reason", "Lost", *url, said=by).exit_code == 2
    badge, pin = told(staff("renew", "nurse-a1", "--reason", "Lost", *url, said=by))
    body = {"badge": badge, "pin": pin, "device": "phone-1"}
    assert service.client.post("/api/v1/sessions", json=body).status_code == 201
    service.staff.add_token("office", Role.ADMINISTRATOR)
    monkeypatch.setenv("WARDPORTER_TOKEN", "secret-office")
    moved = ("change", "nurse-a1", "--place", "ward-b-handover", "--reason", "Moved", *url)
    assert staff(*moved, "--until", "2099-01-31T07:30:00+00:00").exit_code == 0
    assert staff("change", "nurse-a1", "--no-end", "--registration", "R-9", "--reason", "Stays", *url).exit_code == 0
    (listed,) = (one for one in json.loads(staff("list", "--json", *url).output) if one["id"] == "nurse-a1")
    assert (listed["places"], listed["roles"], listed["state"]) == (["ward-b-handover"], ["nurse"], "active")


def test_a_service_that_is_not_there_is_said(monkeypatch: pytest.MonkeyPatch, free_port: int) -> None:
    monkeypatch.setenv("WARDPORTER_TOKEN", "t")
    refused = staff("list", "--url", f"http://127.0.0.1:{free_port}")
    assert refused.exit_code == 2
    assert "does not answer" in refused.output
