"""Refusals about people."""

from __future__ import annotations

from orchestrator.domain.errors import ConflictError, InvalidInputError, NotFoundError


class UnknownPersonError(NotFoundError):
    """Nobody has this id."""

    code = "person_unknown"


class UnknownTokenError(NotFoundError):
    """No program's token has this id."""

    code = "token_unknown"


class PersonInvalidError(InvalidInputError):
    """What was said of a member of staff cannot be so."""

    code = "person_invalid"


class PersonTakenError(ConflictError):
    """The id belongs to somebody already."""

    code = "person_taken"


class RegistrationTakenError(ConflictError):
    """Somebody else whose account stands has this number at the professional register."""

    code = "registration_taken"


class PersonEndedError(ConflictError):
    """The account has ended, so nothing about it is changed."""

    code = "person_ended"


class OfficersAccountError(ConflictError):
    """The accountable officer's account is not for an administrator to take over, by whatever way."""

    code = "officers_account"
