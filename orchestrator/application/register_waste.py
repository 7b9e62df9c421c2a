"""What was not given: the rest of an ampoule, and what broke. Two people of the place sign for it, nobody from outside.

Destroying stock that is no longer needed is another act, before somebody of a pharmacy or an authorised witness; see
`orchestrator.application.register_acts`.
"""

from __future__ import annotations

from dataclasses import replace

from orchestrator.application.medicine_catalogue import medicine_of
from orchestrator.application.ports import Ids, UnitOfWork
from orchestrator.application.register_acts import SET_APART
from orchestrator.application.register_entering import Entering, entered, open_incident, require_register
from orchestrator.application.register_errors import WitnessError
from orchestrator.application.set_apart import require_not_recalled
from orchestrator.application.settling import require_settled
from orchestrator.domain.custody import movements
from orchestrator.domain.custody.incident import IncidentKind
from orchestrator.domain.custody.model import AccountKind, Entry
from orchestrator.domain.custody.part_dose import PartDose
from orchestrator.domain.reason import require_said


def enter_part_dose(uow: UnitOfWork, entering: Entering, *, quantity: int, part: PartDose) -> Entry:
    """Record what a patient was given of what was taken out of the cupboard, and that the rest was wasted.

    Whoever gave it is a practitioner of the ward, and somebody else of the ward saw the rest wasted.

    Raises
    ------
    PartDoseError
        What was given and wasted is not the whole.
    WitnessError
        Who acts gives no medicines there.
    """
    require_register(uow, "The supply")
    require_settled(uow, entering)
    require_not_recalled(uow, entering, act="The supply")
    part.check(quantity, medicine_of(uow, entering.stock.medicine))
    for giver in entering.people[:1]:
        if not (giver.belongs_to(entering.place) and any(role.is_ward_practitioner for role in giver.roles)):
            raise WitnessError(
                f"The supply was refused: {giver.id} gives no medicines at {entering.place}; expected a nurse, midwife "
                "or theatre practitioner of that ward to act, and somebody else of it to see the rest wasted. Let them "
                "sign first."
            )
    said = replace(entering, facts={**entering.facts, **part.facts()})
    wasted = part.units_wasted(quantity)
    return entered(
        uow, said, lambda occasion: movements.supplied(said.stock, quantity, occasion, wasted=wasted), least=2
    )


def enter_breakage(
    uow: UnitOfWork, entering: Entering, *, quantity: int, ids: Ids, out_of: AccountKind = AccountKind.CUPBOARD
) -> Entry:
    """Record that units broke or were dropped, before a witness of the place; always an incident."""
    require_said(entering.reason, act="The breakage")
    if out_of not in SET_APART:
        require_register(uow, "The breakage of stock")
    entry = entered(
        uow, entering, lambda occasion: movements.broken(entering.stock, quantity, occasion, out_of=out_of), least=2
    )
    open_incident(uow, entering, IncidentKind.BREAKAGE, "Units of a medicine broke; two people saw it.", ids=ids)
    return entry
