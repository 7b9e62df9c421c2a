"""The decision: whether somebody may do something, and if not, why and who may."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from orchestrator.domain.access.acts import Act
from orchestrator.domain.access.policy import POLICY, Cell, Relation, Rule
from orchestrator.domain.delivery.model import DeliveryState
from orchestrator.domain.errors import WardporterError
from orchestrator.domain.people.model import PersonId, Principal, PrincipalKind
from orchestrator.domain.site.model import PlaceId


@dataclass(frozen=True, slots=True)
class Subject:
    """What is acted on, as far as the policy asks.

    ``id`` says which, for the log. ``source`` and ``target`` are the places a delivery comes from and goes to, ``back``
    the one it comes back to, ``state`` is its state; ``places`` are those that a register or a person belongs to,
    ``person`` is who it is about.
    """

    id: str = ""
    source: PlaceId | None = None
    target: PlaceId | None = None
    back: PlaceId | None = None
    state: DeliveryState | None = None
    places: frozenset[PlaceId] = field(default_factory=frozenset[PlaceId])
    person: PersonId | None = None


class Why(StrEnum):
    """Why it was decided so."""

    ALLOWED = "allowed"
    NO_CELL = "no_cell"
    NO_PROOF = "no_proof"
    WRONG_ROLE = "wrong_role"
    WRONG_PLACE = "wrong_place"
    WRONG_STATE = "wrong_state"
    NO_PROGRAM = "no_program"
    ON_SELF = "on_self"
    UNKNOWN_BADGE = "unknown_badge"
    WRONG_PIN = "wrong_pin"
    LOCKED = "locked"
    ACCOUNT_ENDED = "account_ended"
    DEVICE_LOCKED = "device_locked"


REFUSED_TO_PEOPLE = frozenset({Why.WRONG_ROLE, Why.WRONG_PLACE, Why.WRONG_STATE, Why.ON_SELF})
"""What counts against a device: somebody known tried what is not theirs."""


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision as it is kept: who wanted to do what to what, where, and whether they might."""

    at: datetime
    act: Act
    is_allowed: bool
    why: Why
    who: str = ""
    kind: PrincipalKind | None = None
    device: str | None = None
    subject: str = ""


class NotAllowedError(WardporterError):
    """Who acts may not do this."""

    code = "not_allowed"

    def __init__(self, message: str, *, who: str, act: Act, why: Why) -> None:
        super().__init__(message, detail={"act": act.value, "why": why.value})
        self.who = who
        self.act = act
        self.why = why


def judge(principal: Principal, act: Act, subject: Subject | None, *, policy: Mapping[Act, Cell] = POLICY) -> Why:
    """Return why somebody may or may not do something.

    Parameters
    ----------
    principal : Principal
        Who acts.
    act : Act
        What they want to do.
    subject : Subject or None
        On what; None while that is not known yet: then only who acts is judged, and it must be judged again. A state
        of None is one that was not looked at.
    policy : mapping of Act to Cell
        The table.
    """
    cell = policy.get(act)
    if cell is None:
        return Why.NO_CELL
    if cell.is_public:
        return Why.ALLOWED
    if principal.kind is PrincipalKind.PROGRAM and not cell.for_programs:
        return Why.NO_PROGRAM
    mine = [rule for rule in cell.rules if not rule.roles.isdisjoint(principal.roles)]
    if not mine:
        return Why.WRONG_ROLE
    if subject is None:
        return Why.ALLOWED
    if cell.not_on_self and _is_oneself(principal, subject):
        return Why.ON_SELF
    here = [rule for rule in mine if _is_related(principal, rule.relation, subject)]
    if not here:
        return Why.WRONG_PLACE
    if subject.state is None or any(rule.states is None or subject.state in rule.states for rule in here):
        return Why.ALLOWED
    # In a state in which nobody may do it the use case refuses it, and says what to wait for.
    is_for_others = any(rule.states is not None and subject.state in rule.states for rule in cell.rules)
    return Why.WRONG_STATE if is_for_others else Why.ALLOWED


def require_allowed(principal: Principal, act: Act, subject: Subject | None) -> None:
    """Refuse what the policy does not allow.

    Raises
    ------
    NotAllowedError
        Says what was refused, who may do it and what to do.
    """
    why = judge(principal, act, subject)
    if why is Why.ALLOWED:
        return
    raise refusal(principal.id, act, why)


def refusal(who: str, act: Act, why: Why) -> NotAllowedError:
    """Return the error that says what was refused, who may do it and what to do."""
    return NotAllowedError(
        f"The act “{act.words}” was refused: {_REASONS[why].format(who=who)}; expected {who_may(act)}. "
        "Ask one of them.",
        who=who,
        act=act,
        why=why,
    )


def who_may(act: Act) -> str:
    """Return who may do something, in words."""
    cell = POLICY.get(act)
    if cell is None:
        return "nobody: the policy does not know it"
    words = "; or ".join(_words_of(rule) for rule in cell.rules)
    return f"{words}, but not for oneself" if cell.not_on_self else words


def _words_of(rule: Rule) -> str:
    roles = _listed(role.value.replace("_", " ") for role in rule.roles)
    when = (
        "" if rule.states is None else f" while it is {_listed(state.value.replace('_', ' ') for state in rule.states)}"
    )
    return " ".join(filter(None, (roles, rule.relation.words))) + when


def _listed(words: Iterable[str]) -> str:
    *some, last = sorted(words)
    return f"{', '.join(some)} or {last}" if some else last


_REASONS: Mapping[Why, str] = {
    Why.NO_CELL: "the policy does not know it",
    Why.WRONG_ROLE: "{who} has no role for it",
    Why.WRONG_PLACE: "{who} does not belong to the place",
    Why.WRONG_STATE: "in its present state it is for others than {who}",
    Why.NO_PROGRAM: "{who} is a program and it is for people alone",
    Why.ON_SELF: "{who} may not do it for themselves, and no program for who made its token",
}


def _is_oneself(principal: Principal, subject: Subject) -> bool:
    if principal.kind is PrincipalKind.DEVELOPMENT or subject.person is None:
        return False
    return subject.person in (principal.id, principal.made_by)


def _is_related(principal: Principal, relation: Relation, subject: Subject) -> bool:
    # Whoever development believes belongs everywhere; it is on this machine and among simulated robots only.
    if relation is Relation.ANY or principal.kind is PrincipalKind.DEVELOPMENT:
        return True
    ends: Mapping[Relation, Iterable[PlaceId | None]] = {
        Relation.AT_SOURCE: (subject.source,),
        Relation.AT_TARGET: (subject.target,),
        Relation.AT_EITHER_END: (subject.source, subject.target),
        Relation.AT_RETURN: (subject.back,),
        Relation.AT_PLACE: subject.places,
    }
    return any(place in principal.places for place in ends[relation])
