"""Where a receipt takes place: at the place it goes to, or where it comes back to."""

from __future__ import annotations

from orchestrator.domain.custody.people import Present
from orchestrator.domain.custody.premises import Premises
from orchestrator.domain.delivery.model import Delivery
from orchestrator.domain.errors import InvalidInputError
from orchestrator.domain.site.model import PlaceId


def place_by_hand(delivery: Delivery, present: Present, premises: Premises, *, is_return: bool | None) -> PlaceId:
    """Return where what a person brought is handed over: where they say, or the one place where those there may.

    Raises
    ------
    InvalidInputError
        Those who are there may receive it at both places, and nobody said at which.
    """
    back, end = premises.place(delivery.returns_to), premises.place(delivery.to_station)
    if is_return is not None:
        return back if is_return else end
    fits_end, _ = premises.staff_of(end, delivery.handling_class)
    fits_back, _ = premises.staff_of(back, delivery.handling_class)
    may_at_end = bool(present.people) and all(fits_end(person) for person in present.people)
    may_at_back = bool(present.people) and all(fits_back(person) for person in present.people)
    if may_at_end and may_at_back and back != end:
        raise InvalidInputError(
            f"The receipt was refused: those who are there may receive delivery {delivery.id} at {end}, where it goes "
            f"to, and at {back}, where it comes back to; expected is_return, which says where. Say true at {back}, "
            f"false at {end}.",
            detail={"delivery": delivery.id, "field": "is_return"},
        )
    if may_at_end:
        return end
    return back if any(person.belongs_to(back) for person in present.people) else end


def check_said_place(delivery: Delivery, is_return: bool | None, *, comes_back: bool) -> None:
    """Refuse a receipt that says another place than the one where the delivery is handed over.

    Raises
    ------
    InvalidInputError
        It does.
    """
    if is_return is None or is_return is comes_back:
        return
    found, expected = ("back", "at the place it goes to") if is_return else ("in", "where it comes back to")
    raise InvalidInputError(
        f"The receipt was refused: it says that delivery {delivery.id} was taken {found}; expected a receipt "
        f"{expected}, by those of that place. Leave is_return out, or look at its history.",
        detail={"delivery": delivery.id, "field": "is_return"},
    )
