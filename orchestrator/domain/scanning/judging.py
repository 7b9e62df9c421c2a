"""From the fields of a GS1 message, or plain digits, to what a code says, or why it is not trusted."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime

from orchestrator.domain.medicine.check_digits import (
    GLN_LENGTH,
    GSRN_LENGTH,
    GTIN_LENGTH,
    GTIN_LENGTHS,
    SSCC_LENGTH,
    has_right_check_digit,
    is_digits,
)
from orchestrator.domain.people.patient import NhsNumber
from orchestrator.domain.scanning.dates import date_of, moment_of
from orchestrator.domain.scanning.errors import (
    BadGlnError,
    BadGsrnError,
    BadGtinError,
    BadSsccError,
    CharsetError,
    ConflictingFieldsError,
    FieldLengthError,
    NotAPatientError,
    ScanRefusedError,
    UnknownCodeError,
    WrongKindError,
)
from orchestrator.domain.scanning.model import Fault, Message, ScanKind, Scanned
from orchestrator.domain.scanning.separators import check_separators
from orchestrator.domain.scanning.wristband import BAND_FIELDS, BandNames, BandPlace, check_text, names_of, place_of

PATIENT_PREFIX = "5050898"
"""GS1 company prefix of the NHS in patients' numbers (DCB1077); the NHS number and a check digit follow."""

_KEYS = {
    **dict.fromkeys(("01", "02", "03"), (GTIN_LENGTH, BadGtinError, "a trade item number")),
    "00": (SSCC_LENGTH, BadSsccError, "a tote's number"),
    **dict.fromkeys((f"41{digit}" for digit in range(8)), (GLN_LENGTH, BadGlnError, "a location number")),
    **dict.fromkeys(("8017", "8018"), (GSRN_LENGTH, BadGsrnError, "a person's number")),
}
_NAMING = {
    "01": ScanKind.PACK,
    "00": ScanKind.TOTE,
    "8018": ScanKind.STAFF,
    "8017": ScanKind.STAFF,
    "414": ScanKind.LOCATION,
}
"""The fields that name the thing a code is on; a patient's 8018 is told from staff's by its prefix."""


def judge_message(
    message: Message,
    *,
    local_now: datetime,
    can_follow: Callable[[str], str | None],
    to_nhs_number: Callable[[str], NhsNumber],
) -> Scanned:
    """Return what a GS1 message says.

    Parameters
    ----------
    message : Message
        Its fields.
    local_now : datetime
        Now, naive, in the local time of the place; for expiry and centuries.
    can_follow : callable
        See `check_separators`.
    to_nhs_number : callable
        Returns the NHS number of ten digits, or raises that it is refused.

    Raises
    ------
    ScanRefusedError
        It must not be trusted; the subclass says why.
    """
    today = local_now.date()
    _check_characters(message)
    check_separators(message, today=today, can_follow=can_follow)
    values = _values(message)
    _check_keys(values)
    kind = _kind_of(values)
    if kind is ScanKind.PACK:
        return _pack(values, local_now=local_now)
    if kind is ScanKind.STAFF:
        return _person(values, to_nhs_number=to_nhs_number)
    if kind is ScanKind.TOTE:
        return Scanned(kind, sscc=values["00"])
    return Scanned(kind, gln=values["414"], gln_extension=values.get("254"))


def judge_digits(digits: str, *, to_nhs_number: Callable[[str], NhsNumber]) -> Scanned:
    """Return what plain digits say: a trade item number of 8, 12, 13 or 14, or an NHS number of 10.

    Raises
    ------
    ScanRefusedError
        They are no such thing, or their check digit is wrong.
    """
    if len(digits) == 10:
        return Scanned(ScanKind.NHS_NUMBER, nhs_number=to_nhs_number(digits))
    if len(digits) not in GTIN_LENGTHS:
        raise UnknownCodeError(
            "The code was refused: it is neither a GS1 code nor a plain number of ours; expected a pack's, a tote's, a "
            "wristband's or a badge's. Scan the right code on the thing."
        )
    if not has_right_check_digit(digits):
        raise _wrong_check_digit(BadGtinError, "a trade item number")
    return Scanned(ScanKind.PACK, gtin=digits.zfill(GTIN_LENGTH))


def require_kind(scanned: Scanned, wanted: ScanKind | None) -> Scanned:
    """Return what was scanned if it is of the kind that was asked for; a wristband serves as an NHS number.

    Raises
    ------
    NotAPatientError
        A patient was wanted, and somebody else was scanned.
    WrongKindError
        Something of another kind was.
    """
    fits = {wanted, ScanKind.WRISTBAND} if wanted is ScanKind.NHS_NUMBER else {wanted}
    if wanted is None or scanned.kind in fits:
        return scanned
    if wanted in (ScanKind.WRISTBAND, ScanKind.NHS_NUMBER) and scanned.kind is ScanKind.STAFF:
        raise _not_a_patient()
    raise WrongKindError(
        f"The code was refused: it is a {scanned.kind.value}'s; expected a {wanted.value}'s. Scan the right code.",
        detail={"found": scanned.kind.value, "expected": wanted.value},
    )


def _check_characters(message: Message) -> None:
    for field in message.fields:
        if field.ai in BAND_FIELDS:
            check_text(field.value)
        elif field.fault is Fault.CHARSET:
            raise CharsetError(
                "The code was refused: a field holds a character that GS1 allows not there; expected digits, or the "
                "82 characters of its set. Scan it again; if it says the same, read it off and type it.",
                detail={"ai": field.ai},
            )


def _values(message: Message) -> dict[str, str]:
    values: dict[str, str] = {}
    for field in message.fields:
        if field.fault is Fault.LENGTH:
            raise FieldLengthError(
                "The code was refused: a field is shorter or longer than GS1 says; expected it whole. Scan it again.",
                detail={"ai": field.ai},
            )
        if values.setdefault(field.ai, field.value) != field.value:
            raise _conflict("one of its fields stands there twice with different values", ai=field.ai)
    return values


def _check_keys(values: dict[str, str]) -> None:
    for ai, value in values.items():
        if ai in _KEYS:
            length, error, name = _KEYS[ai]
            if not is_digits(value[:length], length) or not has_right_check_digit(value[:length]):
                raise _wrong_check_digit(error, name)


def _kind_of(values: dict[str, str]) -> ScanKind:
    kinds = {_NAMING[ai] for ai in values if ai in _NAMING}
    if len(kinds) > 1:
        raise _conflict("it names two different things")
    if not kinds:
        raise UnknownCodeError(
            "The code was refused: it does not say what it is on; expected a trade item (01), a tote (00), a person "
            "(8018) or a location (414). Scan the other code on the thing, which names it."
        )
    return kinds.pop()


def _pack(values: dict[str, str], *, local_now: datetime) -> Scanned:
    today = local_now.date()
    expiry = date_of(values["17"], today=today) if "17" in values else None
    expires_at = moment_of(values["7003"], today=today) if "7003" in values else None
    for other in ("11", "12", "13", "15", "16"):
        if other in values:
            date_of(values[other], today=today)
    if expiry is not None and expires_at is not None and expiry != expires_at.date():
        raise _conflict("it says two different days of expiry", ai="7003")
    expiry = expires_at.date() if expires_at is not None else expiry
    return Scanned(
        ScanKind.PACK,
        gtin=values["01"],
        expiry=expiry,
        expires_at=expires_at,
        expired=_has_expired(expiry, expires_at, local_now=local_now),
        batch=values.get("10"),
        serial=values.get("21"),
    )


def _has_expired(expiry: date | None, expires_at: datetime | None, *, local_now: datetime) -> bool | None:
    if expires_at is not None:
        return local_now >= expires_at
    return None if expiry is None else local_now.date() > expiry


def _person(values: dict[str, str], *, to_nhs_number: Callable[[str], NhsNumber]) -> Scanned:
    gsrn = values.get("8018", "")
    if not gsrn.startswith(PATIENT_PREFIX):
        if any(ai in values for ai in BAND_FIELDS):
            raise _not_a_patient()
        return Scanned(ScanKind.STAFF, gsrn=gsrn or values["8017"])
    place = place_of(values["91"]) if "91" in values else BandPlace(None, None, None)
    names = names_of(values["93"]) if "93" in values else BandNames(None, None, None)
    return Scanned(
        ScanKind.WRISTBAND,
        gsrn=gsrn,
        nhs_number=to_nhs_number(gsrn[len(PATIENT_PREFIX) : -1]),
        gln=place.gln,
        organisation=place.organisation,
        local_id=place.local_id,
        family_name=names.family_name,
        given_name=names.given_name,
        born=names.born,
    )


def _not_a_patient() -> NotAPatientError:
    return NotAPatientError(
        "The code was refused: it stands where a patient's wristband is expected, and its number is not one that the "
        "NHS gives to patients. Scan the patient's wristband; if this is it, print a new one."
    )


def _wrong_check_digit(error: type[ScanRefusedError], name: str) -> ScanRefusedError:
    return error(
        f"The code was refused: the check digit of {name} in it is wrong; expected a right one. Scan it again; if it "
        "says the same, set the thing apart and tell the pharmacy."
    )


def _conflict(what: str, *, ai: str | None = None) -> ConflictingFieldsError:
    return ConflictingFieldsError(
        f"The code was refused: {what}; expected one answer. Set the thing apart and tell the pharmacy.",
        detail={} if ai is None else {"ai": ai},
    )
