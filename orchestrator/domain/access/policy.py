"""The one table that says who may do what. What is not in it nobody may do.

Roles follow the Misuse of Drugs Regulations 2001 and the guidance gathered in the project's notes: pharmacy staff send,
practitioners of the ward that is named receive, the accountable officer reads and follows up and never handles.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from orchestrator.domain.access.acts import Act
from orchestrator.domain.delivery.model import DeliveryState
from orchestrator.domain.people.model import WARD_PRACTITIONERS, Role


class Relation(StrEnum):
    """How who acts must belong to what is acted on."""

    ANY = "any"
    AT_SOURCE = "at_source"
    AT_TARGET = "at_target"
    AT_EITHER_END = "at_either_end"
    AT_RETURN = "at_return"
    AT_PLACE = "at_place"

    @property
    def words(self) -> str:
        """The relation as people read it, after the names of roles."""
        return _RELATION_WORDS[self]


_RELATION_WORDS: Mapping[Relation, str] = {
    Relation.ANY: "",
    Relation.AT_SOURCE: "of the place it comes from",
    Relation.AT_TARGET: "of the place it goes to",
    Relation.AT_EITHER_END: "of the place it comes from or goes to",
    Relation.AT_RETURN: "of the place it comes back to",
    Relation.AT_PLACE: "of that place",
}


@dataclass(frozen=True, slots=True)
class Rule:
    """One way in which an act is allowed: for whom, how related, and, where it matters, in which states alone."""

    roles: frozenset[Role]
    relation: Relation = Relation.ANY
    states: frozenset[DeliveryState] | None = None


@dataclass(frozen=True, slots=True)
class Cell:
    """What the table says of one act: allowed by any of its rules.

    ``is_public`` asks for no proof of who acts. ``needs_step_up`` asks for badge and PIN of every person taking part,
    at the device, for this act alone. ``for_programs`` lets a program's token act within its roles. ``not_on_self``
    refuses people to do it to themselves.
    """

    rules: tuple[Rule, ...] = ()
    is_public: bool = False
    needs_step_up: bool = False
    for_programs: bool = False
    not_on_self: bool = False

    @property
    def roles(self) -> frozenset[Role]:
        """Everybody who may ever do it."""
        return frozenset(role for rule in self.rules for role in rule.roles)


S, R = DeliveryState, Role
EVERYONE = frozenset(Role)
WARD = WARD_PRACTITIONERS
PHARMACY = frozenset({R.PHARMACIST, R.PHARMACY_TECHNICIAN})
HANDLERS = WARD | PHARMACY
PHARMACIST, OFFICER = frozenset({R.PHARMACIST}), frozenset({R.ACCOUNTABLE_OFFICER})
ADMINISTRATOR, SITE_MANAGER = frozenset({R.ADMINISTRATOR}), frozenset({R.SITE_MANAGER})
IN_CHARGE = frozenset({R.NURSE_IN_CHARGE})
ON_SITE = HANDLERS | {R.PORTER, R.SITE_MANAGER, R.ENGINEER}
OPERATORS = frozenset({R.PORTER, R.SITE_MANAGER, R.ENGINEER})
HANDED_OVER = frozenset({S.ARRIVED, S.HANDED_TO_RUNNER})
BROUGHT_BACK = frozenset({S.RETURNING, S.HANDED_TO_RUNNER})


def _of(
    *rules: Rule, step_up: bool = False, programs: bool = False, public: bool = False, not_on_self: bool = False
) -> Cell:
    return Cell(rules, is_public=public, needs_step_up=step_up, for_programs=programs, not_on_self=not_on_self)


def _any(roles: frozenset[Role]) -> Rule:
    return Rule(roles)


def _source(roles: frozenset[Role], *states: DeliveryState) -> Rule:
    return Rule(roles, Relation.AT_SOURCE, frozenset(states) or None)


def _target(roles: frozenset[Role], *states: DeliveryState) -> Rule:
    return Rule(roles, Relation.AT_TARGET, frozenset(states) or None)


def _either(roles: frozenset[Role]) -> Rule:
    return Rule(roles, Relation.AT_EITHER_END)


def _return(roles: frozenset[Role], *states: DeliveryState) -> Rule:
    return Rule(roles, Relation.AT_RETURN, frozenset(states) or None)


def _place(roles: frozenset[Role]) -> Rule:
    return Rule(roles, Relation.AT_PLACE)


A = Act
_DELIVERIES: Mapping[Act, Cell] = {
    A.QUEUE_DELIVERY: _of(_source(HANDLERS), _any(SITE_MANAGER), programs=True),
    A.LIST_DELIVERIES: _of(_any(EVERYONE), programs=True),
    A.READ_DELIVERY: _of(
        _any(PHARMACY | OFFICER | {R.PORTER, R.SITE_MANAGER}),
        _either(WARD),
        _return(WARD),
        programs=True,
    ),
    A.VERIFY_DELIVERY: _of(_any(PHARMACIST), step_up=True),
    A.DISPENSE_DELIVERY: _of(_source(HANDLERS), step_up=True),
    A.REFUSE_DELIVERY: _of(_target(HANDLERS), step_up=True),
    A.REPORT_EXCURSION: _of(_either(HANDLERS), _return(HANDLERS), _any(OPERATORS), programs=True),
    A.CHECK_DELIVERY: _of(_source(HANDLERS), step_up=True),
    A.ACCEPT_DELIVERY: _of(_target(HANDLERS), step_up=True),
    A.OPEN_DRAWER: _of(_either(HANDLERS), _return(HANDLERS), _any(SITE_MANAGER), step_up=True),
    A.LOAD_DELIVERY: _of(_source(HANDLERS), step_up=True),
    A.RECEIVE_DELIVERY: _of(_target(HANDLERS, *HANDED_OVER), _return(HANDLERS, *BROUGHT_BACK), step_up=True),
    A.ENTER_PAPER_RECEIPT: _of(_target(HANDLERS, *HANDED_OVER, S.RETURNING, S.RETURNED), step_up=True),
    A.CONFIRM_IN_FRIDGE: _of(_either(HANDLERS), _return(HANDLERS)),
    A.CANCEL_DELIVERY: _of(_either(HANDLERS), programs=True),
    A.REROUTE_DELIVERY: _of(_any(PHARMACIST), _either(IN_CHARGE)),
    A.HAND_TO_RUNNER: _of(_either(HANDLERS), _any(frozenset({R.PORTER, R.SITE_MANAGER})), step_up=True),
    A.REPORT_INCIDENT: _of(_either(HANDLERS), _return(HANDLERS), _any(OPERATORS)),
    A.PASS_ACCOUNTABILITY: _of(_either(HANDLERS), step_up=True),
    A.RETRIEVE_AT_ROBOT: _of(_either(HANDLERS), _any(SITE_MANAGER), step_up=True),
    A.USE_MECHANICAL_KEY: _of(_either(PHARMACIST | IN_CHARGE), _any(SITE_MANAGER), step_up=True),
    A.BREAK_GLASS: _of(_target(WARD), _any(SITE_MANAGER), step_up=True),
}
_REGISTERS: Mapping[Act, Cell] = {
    A.OPEN_BALANCE: _of(_place(PHARMACIST | IN_CHARGE), step_up=True),
    # The hospital's stock is a pharmacy's alone to take in; what a patient brought is taken in where the patient is.
    A.TAKE_FROM_SUPPLIER: _of(_place(HANDLERS), step_up=True),
    A.CHECK_STOCK: _of(_place(HANDLERS), step_up=True),
    A.SUPPLY_PATIENT: _of(_place(HANDLERS), step_up=True),
    A.RESTOCK: _of(_place(HANDLERS), step_up=True),
    # The witness may be of elsewhere: a pharmacist on a ward, an authorised witness in a pharmacy. Who acts may not.
    A.DESTROY: _of(_place(HANDLERS), _any(PHARMACY | IN_CHARGE | SITE_MANAGER), step_up=True),
    # What broke is seen by those who are there.
    A.RECORD_BREAKAGE: _of(_place(HANDLERS), step_up=True),
    # Whoever may take part in what was kept on paper; the entry is judged by the cell of what it enters besides.
    A.ENTER_AFTER_DOWNTIME: _of(_place(HANDLERS), _any(PHARMACY | IN_CHARGE | SITE_MANAGER), step_up=True),
    A.CORRECT_ENTRY: _of(_place(HANDLERS), step_up=True),
    A.RESOLVE_DISCREPANCY: _of(_place(PHARMACIST | IN_CHARGE), step_up=True),
    A.FOLLOW_UP_DISCREPANCY: _of(_any(OFFICER)),
    A.READ_REGISTER: _of(_place(HANDLERS), _any(PHARMACIST | OFFICER)),
    A.READ_LEDGER: _of(_any(PHARMACIST | OFFICER), programs=True),
    A.READ_REPORT: _of(_any(PHARMACIST | OFFICER)),
    # One of each, together: who handles medicines and who oversees it.
    A.PURGE_RECORDS: _of(_any(PHARMACIST | OFFICER), step_up=True),
    A.TAKE_DOWNTIME_PACK: _of(_any(PHARMACY | IN_CHARGE | SITE_MANAGER | OFFICER)),
}
_MEDICINES: Mapping[Act, Cell] = {
    A.READ_MEDICINE: _of(_any(HANDLERS | OFFICER), programs=True),
    A.SCAN: _of(_any(HANDLERS), programs=True),
    A.CLASSIFY_MEDICINE: _of(_any(PHARMACIST)),
    A.RECALL_BATCH: _of(_any(PHARMACIST)),
    A.ACKNOWLEDGE_RECALL: _of(_place(HANDLERS)),
    A.APPROVE_CARRIAGE: _of(_any(OFFICER)),
    A.READ_APPROVALS: _of(_any(HANDLERS | OFFICER | {R.SITE_MANAGER, R.ENGINEER, R.ADMINISTRATOR}), programs=True),
    A.READ_INCIDENTS: _of(_any(PHARMACIST | IN_CHARGE | OFFICER | SITE_MANAGER)),
    A.FOLLOW_UP_INCIDENT: _of(_any(PHARMACIST | IN_CHARGE | OFFICER | SITE_MANAGER)),
}
_ROBOTS: Mapping[Act, Cell] = {
    A.PAUSE_ROBOT: _of(_any(ON_SITE), programs=True),
    A.RESUME_ROBOT: _of(_any(OPERATORS | PHARMACY | IN_CHARGE)),
    A.ABORT_ROBOT: _of(_any(OPERATORS)),
    A.QUARANTINE_ROBOT: _of(_any(frozenset({R.SITE_MANAGER, R.ENGINEER})), programs=True),
    A.TAKE_OUT_OF_SERVICE: _of(_any(frozenset({R.SITE_MANAGER, R.ENGINEER}))),
    A.PUT_IN_SERVICE: _of(_any(frozenset({R.SITE_MANAGER, R.ENGINEER}))),
    A.SEND_ROBOT: _of(_any(OPERATORS | PHARMACY)),
    A.WITHDRAW_ROBOT: _of(_any(OPERATORS | PHARMACY)),
    A.FENCE_OFF_ROBOT: _of(_any(OPERATORS | IN_CHARGE)),
    A.READ_ROBOT_HISTORY: _of(_any(ON_SITE | OFFICER), programs=True),
    A.CLOSE_LANE: _of(_any(OPERATORS)),
    A.OPEN_LANE: _of(_any(OPERATORS)),
    A.RAISE_ALARM: _of(_any(EVERYONE), programs=True),
    A.CLEAR_ALARM: _of(_any(OPERATORS | IN_CHARGE), programs=True),
    # Of these, whom the policy file of the place names for the kind of alarm.
    A.END_ALARM: _of(_any(OPERATORS | IN_CHARGE)),
}
_STAFF: Mapping[Act, Cell] = {
    A.ADD_STAFF: _of(_any(ADMINISTRATOR), programs=True),
    A.LIST_STAFF: _of(_any(ADMINISTRATOR | SITE_MANAGER | OFFICER), programs=True),
    A.REVOKE_STAFF: _of(_any(ADMINISTRATOR | SITE_MANAGER), programs=True),
    A.UNLOCK_STAFF: _of(_place(IN_CHARGE), _any(SITE_MANAGER), not_on_self=True),
    # A renewal tells somebody another's badge and PIN, so a person answers for it.
    A.RENEW_STAFF: _of(_any(ADMINISTRATOR), not_on_self=True),
    A.CHANGE_STAFF: _of(_any(ADMINISTRATOR), programs=True, not_on_self=True),
    A.MAKE_TOKEN: _of(_any(ADMINISTRATOR), programs=True),
    A.LIST_TOKENS: _of(_any(ADMINISTRATOR | OFFICER), programs=True),
    A.REVOKE_TOKEN: _of(_any(ADMINISTRATOR | SITE_MANAGER), programs=True),
    A.READ_ACCESS_LOG: _of(_any(OFFICER | ADMINISTRATOR)),
}
POLICY: Mapping[Act, Cell] = {
    A.SEE_HEALTH: _of(public=True),
    A.SIGN_IN: _of(public=True),
    A.CHANGE_PIN: _of(public=True),
    A.SIGN_OUT: _of(_any(EVERYONE)),
    A.WATCH: _of(_any(EVERYONE), programs=True),
    **_DELIVERIES,
    **_REGISTERS,
    **_MEDICINES,
    **_ROBOTS,
    **_STAFF,
}
"""One cell for each act; an act without a cell is refused to everybody."""
