"""Step-ups: a person proves by badge and PIN, at the device, that they take part in one act on one delivery."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field
from starlette.responses import Response

from orchestrator.application.ports import UnitOfWork
from orchestrator.application.sign_in import Guess, account_ended, take_back_guess
from orchestrator.application.step_up import at_place, stepped_up, subject_of_step_up
from orchestrator.domain.access.acts import Act
from orchestrator.domain.access.decision import Why, refusal
from orchestrator.domain.access.policy import POLICY
from orchestrator.domain.errors import InvalidInputError, NotFoundError
from orchestrator.domain.people.proofs import StepUp
from orchestrator.domain.site.model import PlaceId
from orchestrator.http.acting import DeskOfApp, public, require_json
from orchestrator.http.problems import documented
from orchestrator.http.request_models import ID_LENGTH_MAX
from orchestrator.http.sessions import NO_STORE, BadgeAndPin, prove

router = APIRouter(prefix="/api/v1/step-ups", tags=["sessions"])


class StepUpActError(InvalidInputError):
    """The act asks for no step-up, or it is not said on what."""

    code = "step_up_act"


class StepUpAsked(BadgeAndPin):
    """For which act, and on which delivery, or in the register of which place: one of the two."""

    act: Annotated[Act, Field(strict=False)]
    delivery: str | None = Field(default=None, min_length=1, max_length=ID_LENGTH_MAX)
    place: str | None = Field(default=None, min_length=1, max_length=ID_LENGTH_MAX)

    @property
    def subject(self) -> str:
        """What the step-up is for, as it is kept."""
        return at_place(PlaceId(self.place)) if self.place is not None else self.delivery or ""


class StepUpView(BaseModel):
    """A step-up. The token is told once and good once; send it in ``Wardporter-Step-Up``."""

    token: str
    person: str
    act: Act
    delivery: str
    expires_at: datetime


@router.post(
    "",
    status_code=201,
    response_model=StepUpView,
    dependencies=[public(Act.SIGN_IN), Depends(require_json)],
    responses=documented(400, 401, 403, 404, 413, 415, 421, 422, 503),
)
async def post_step_up(asked: StepUpAsked, desk: DeskOfApp) -> Response:
    """Prove yourself for one act. Wrong PINs count as for signing in, and what is not yours counts as refused."""
    _require_sense(asked)

    def take(uow: UnitOfWork, guess: Guess, at: datetime) -> tuple[StepUp, str] | Why | NotFoundError:
        try:
            subject = subject_of_step_up(uow, desk.site, asked.subject)
        except NotFoundError as unknown:
            take_back_guess(uow, guess)
            return unknown
        return stepped_up(uow, guess, subject=subject, at=at, secrets=desk.secrets)

    taken = await prove(desk, asked, take, act=asked.act, subject=asked.subject)
    if isinstance(taken, NotFoundError):
        raise taken
    if taken is Why.ACCOUNT_ENDED:
        raise account_ended()
    if isinstance(taken, Why):
        raise refusal("the person of this badge", asked.act, taken)
    step_up, token = taken
    view = StepUpView(
        token=token, person=step_up.person, act=step_up.act, delivery=step_up.delivery, expires_at=step_up.expires_at
    )
    return Response(view.model_dump_json(), 201, NO_STORE, "application/json")


def _require_sense(asked: StepUpAsked) -> None:
    if not POLICY[asked.act].needs_step_up:
        raise StepUpActError(
            f"The step-up was refused: the act {asked.act.value} asks for none; expected one that does. Leave it out.",
            detail={"field": "act"},
        )
    if (asked.delivery is None) == (asked.place is None):
        raise StepUpActError(
            "The step-up was refused: it names a delivery and a place, or neither; expected the one that is acted on.",
            detail={"field": "delivery"},
        )
