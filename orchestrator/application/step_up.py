"""Step-ups: every person taking part in a custody act proves themselves for it, at the device, by badge and PIN."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from orchestrator.application.deciding import keep_decision, subject_of_delivery
from orchestrator.application.ports import UnitOfWork
from orchestrator.application.secrets import Secrets
from orchestrator.application.sign_in import Guess, take_back_guess
from orchestrator.domain.access.acts import Act
from orchestrator.domain.access.decision import Subject, Why, judge, refusal
from orchestrator.domain.delivery.model import DeliveryId
from orchestrator.domain.errors import WardporterError
from orchestrator.domain.people.model import Person, Principal, PrincipalKind
from orchestrator.domain.people.proofs import STEP_UP_LASTS, StepUp, principal_of_person
from orchestrator.domain.site.model import PlaceId, Site

STEP_UPS_MAX = 4
_PLACE = "place:"


class StepUpMissingError(WardporterError):
    """The act asks for people who have proved themselves for it, and too few have."""

    code = "step_up_missing"


class StepUpRefusedError(WardporterError):
    """A step-up proves nothing here: unknown, used, too old, or made for something else."""

    code = "step_up_refused"


@dataclass(frozen=True, slots=True)
class StepUps:
    """The step-ups that a request presents, and who presents them.

    Parameters
    ----------
    tokens : sequence of str
        In the order given: the first acts, the others witness.
    principal : Principal
        Whose request it is.
    secrets : Secrets
        For the digests of the tokens.
    site : Site
        For the places of deliveries.
    """

    tokens: Sequence[str]
    principal: Principal
    secrets: Secrets = field(repr=False)
    site: Site = field(repr=False)

    @property
    def is_development(self) -> bool:
        """Whether whoever development believes presents them; nobody is proved by that."""
        return self.principal.kind is PrincipalKind.DEVELOPMENT


def stepped_up(
    uow: UnitOfWork, guess: Guess, *, subject: Subject, at: datetime, secrets: Secrets
) -> tuple[StepUp, str] | Why:
    """Prove a person for one act on one delivery, after a right guess.

    Parameters
    ----------
    uow : UnitOfWork
        The open transaction.
    guess : Guess
        Whose badge, for which act and delivery.
    subject : Subject
        The delivery or place as the policy sees it.
    at : datetime
        Now; aware.
    secrets : Secrets
        Makes the token.

    Returns
    -------
    tuple of StepUp and str, or Why
        The step-up and its token, told once; or why the policy refuses it, which is kept in the log.
    """
    person = take_back_guess(uow, guess)
    principal = principal_of_person(person, guess.device)
    why = judge(principal, guess.act, subject) if person.is_active(at) else Why.ACCOUNT_ENDED
    keep_decision(uow, at=at, act=guess.act, why=why, principal=principal, device=guess.device, subject=guess.subject)
    if why is not Why.ALLOWED:
        return why
    token = secrets.new_token()
    step_up = StepUp(
        secrets.digest_token(token), person.id, guess.act, guess.subject, guess.device, at, at + STEP_UP_LASTS
    )
    uow.proofs.add_step_up(step_up)
    return step_up, token


def people_present(
    uow: UnitOfWork, presented: StepUps, *, act: Act, delivery: DeliveryId | str, at: datetime
) -> tuple[Person, ...]:
    """Return the people who have proved themselves for an act, and use their step-ups up in its own transaction.

    ``delivery`` is its id, or `at_place` of a register's place. The first acts, the others witness. An act that is
    refused rolls back, and leaves them good. How many are needed, and which, is the handling class's to say. Whoever is
    signed in is the first: nobody acts in another's session.

    Raises
    ------
    StepUpRefusedError
        One is unknown, used, too old, for another act or delivery, made at another device, or its person's account has
        ended; two are of one person; or the first is not of who is signed in.
    NotAllowedError
        The policy no longer allows it to one of them.
    """
    people: list[Person] = []
    for token in presented.tokens:
        step_up = _good_step_up(uow, presented, token, act=act, delivery=delivery, at=at)
        person = uow.people.get(step_up.person)
        if not person.is_active(at):
            raise _refused("the account of its person has ended", "one of a person who works here")
        if any(person.id == other.id for other in people):
            raise _refused("two of them are of one person", "one each of different people")
        _require_still_allowed(uow, presented.site, person, step_up)
        uow.proofs.use_step_up(step_up.digest, at)
        people.append(person)
    _require_own_first(presented.principal, people)
    return tuple(people)


def require_present(
    uow: UnitOfWork, presented: StepUps, *, act: Act, delivery: DeliveryId | str, at: datetime
) -> tuple[Person, ...]:
    """Return the people who have proved themselves for an act, at least one; nobody for whoever development believes.

    Raises
    ------
    StepUpMissingError
        Nobody has.
    StepUpRefusedError, NotAllowedError
        As `people_present`.
    """
    people = people_present(uow, presented, act=act, delivery=delivery, at=at)
    if not people and not presented.is_development:
        raise StepUpMissingError(
            f"The act “{act.words}” was refused: nobody has proved themselves for it; expected badge and PIN of each "
            "person taking part. Ask for a step-up at POST /api/v1/step-ups and send its token in Wardporter-Step-Up.",
            detail={"act": act.value},
        )
    return people


def _good_step_up(uow: UnitOfWork, presented: StepUps, token: str, *, act: Act, delivery: str, at: datetime) -> StepUp:
    step_up = uow.proofs.step_up(presented.secrets.digest_token(token))
    if step_up is None:
        raise _refused("nobody has it", "one that was made here")
    if step_up.used_at is not None:
        raise _refused("it was used before", "a new one for each act")
    if at >= step_up.expires_at:
        raise _refused("it is too old", f"one of the last {STEP_UP_LASTS.total_seconds():.0f} s")
    if (step_up.act, step_up.delivery) != (act, str(delivery)):
        raise _refused("it was made for something else", f"one for the act {act.value} on {delivery}")
    device = presented.principal.device
    if device is not None and step_up.device != device:
        raise _refused("it was made at another device", "one made at this device")
    return step_up


def _require_still_allowed(uow: UnitOfWork, site: Site, person: Person, step_up: StepUp) -> None:
    subject = subject_of_step_up(uow, site, step_up.delivery)
    why = judge(principal_of_person(person, step_up.device), step_up.act, subject)
    if why is not Why.ALLOWED:
        raise refusal(person.id, step_up.act, why)


def at_place(place: PlaceId) -> str:
    """Return what stands for a place where a step-up names its delivery: acts on a register have none."""
    return f"{_PLACE}{place}"


def subject_of_step_up(uow: UnitOfWork, site: Site, delivery: str) -> Subject:
    """Return what the policy asks about the delivery or place that a step-up is for; raises `UnknownDeliveryError`."""
    if delivery.startswith(_PLACE):
        return Subject(delivery, places=frozenset({PlaceId(delivery.removeprefix(_PLACE))}))
    return subject_of_delivery(uow.deliveries.get(DeliveryId(delivery)), site)


def _require_own_first(principal: Principal, people: Sequence[Person]) -> None:
    if people and principal.kind is PrincipalKind.PERSON and people[0].id != principal.id:
        raise _refused("the first of them is not of who is signed in", "the one who acts to be signed in")


def _refused(what: str, expected: str) -> StepUpRefusedError:
    return StepUpRefusedError(
        f"The step-up was refused: {what}; expected {expected}. Prove it again with badge and PIN."
    )
