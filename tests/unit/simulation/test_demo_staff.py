"""The staff of a demonstration is on its books, and acts through the API as staff does."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from orchestrator.adapters.config.built_in import built_in
from orchestrator.adapters.config.policy_file import load_policies
from orchestrator.adapters.config.site_file import load_site
from orchestrator.domain.people.model import WARD_PRACTITIONERS, Role
from orchestrator.domain.site.model import StationId
from orchestrator.http.app import build_app
from simulation.demo.api import ApiRefusedError
from simulation.demo.cast import choose_cast
from simulation.demo.people import Roster
from simulation.demo.staff import POLICY_FILE, DemoStaff, Member, make_staff
from simulation.demo.staff_api import StaffApi
from simulation.demo.stage import Stage, set_stage
from simulation.memory_store import MemoryStore
from tests.support.desk import StoreDoor, a_desk
from tests.support.house_of_staff import PHARMACY, WARD_A
from tests.support.served_app import served
from tests.support.staff import PIN, Staff, badge_of, cheap_secrets
from tests.support.wards import porter_model


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    site = load_site(built_in("sites/demo_hospital.site.yaml"))
    cast = choose_cast(site, model=porter_model(), robots=2)
    return set_stage(tmp_path, site=site, cast=cast, speed_factor=8.0, port=1)


def test_everybody_is_there_and_no_badge_or_pin_is_ever_the_same(stage: Stage) -> None:
    first, second = (
        make_staff(replace(stage, store_url=f"sqlite:///{stage.folder}/{name}.sqlite"), secrets=cheap_secrets())
        for name in ("one", "two")
    )
    assert {role for one in first.members for role in one.person.roles} == set(Role) - {
        Role.MIDWIFE,
        Role.THEATRE_PRACTITIONER,
    }
    for ward in {stage.site.stations[station].place for station in stage.cast.wards}:
        nurses = [one for one in first.members if one.person.belongs_to(ward) and one.person.has(Role.NURSE)]
        assert len(nurses) == 2
    numbers = [one.person.registration for one in first.members if one.person.places]
    assert None not in numbers
    assert len(set(numbers)) == len(numbers)
    badges = [one.badge for staff in (first, second) for one in staff.members]
    assert len(set(badges)) == len(badges)
    assert [one.pin for one in first.members] != [one.pin for one in second.members]
    assert load_policies(stage.folder / POLICY_FILE).own_devices == tuple(one.device for one in first.members)
    assert yaml.safe_load((stage.folder / POLICY_FILE).read_text())["policy"] == "demo"


def test_each_place_sends_and_receives_by_its_own_people(stage: Stage) -> None:
    staff = make_staff(stage, secrets=cheap_secrets())
    roster = Roster(staff)
    for station in stage.cast.hatches:
        assert staff.of(roster.sender(station)).person.has(Role.PHARMACIST)
    for station in stage.cast.wards:
        person = staff.of(roster.receiver(station)).person
        assert person.has(*WARD_PRACTITIONERS)
        assert person.belongs_to(stage.site.stations[StationId(station)].place)


def test_they_act_by_sessions_and_step_ups_and_sign_in_again_when_a_session_has_ended() -> None:
    store = MemoryStore()
    kept = Staff(store)
    people = (
        kept.add("pharmacist-1", Role.PHARMACIST, places=(PHARMACY,)),
        kept.add("nurse-1", Role.NURSE, places=(WARD_A,)),
    )
    site = a_desk().site
    staff = DemoStaff([Member(person, badge_of(person.id), PIN) for person in people], site)
    desk = a_desk(StoreDoor(store), is_development=False)  # every device is shared: one act, one session
    with served(build_app(desk)) as url:
        api = StaffApi(url, staff)
        line = {"medicine": "Paracetamol 500 mg tablets", "quantity": 28, "unit": "tablet"}
        body: dict[str, object] = {"from_station": PHARMACY, "to_station": WARD_A, "lines": [line]}
        made = [api.act("/deliveries", body, principal="pharmacist-1")["id"] for _ in range(2)]
        assert len(set(made)) == 2
        assert api.get(f"/deliveries/{made[0]}")["id"] == made[0]
        with pytest.raises(ApiRefusedError, match="not_allowed"):
            api.act(f"/deliveries/{made[0]}/load", {}, principal="nurse-1")
        api.close()
    with store.reading() as uow:
        acts = [kept.decision.act.value for kept in uow.decisions.page(before=None, limit=50)]
    assert acts.count("queue_delivery") == 2
