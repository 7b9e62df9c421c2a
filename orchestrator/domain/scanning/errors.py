"""Why a scanned code is not trusted. No sentence holds what was scanned: it may be a patient's number."""

from __future__ import annotations

from orchestrator.domain.errors import InvalidInputError


class ScanRefusedError(InvalidInputError):
    """What was scanned must not be trusted."""

    code = "scan_refused"


class EmptyCodeError(ScanRefusedError):
    """Nothing was scanned."""

    code = "empty_code"


class CodeTooLongError(ScanRefusedError):
    """More was scanned than any code of ours holds."""

    code = "code_too_long"


class CharsetError(ScanRefusedError):
    """A character stands where GS1 allows none such."""

    code = "charset"


class UnknownSymbologyError(ScanRefusedError):
    """The scanner says that the code is of a kind that carries nothing of ours."""

    code = "unknown_symbology"


class UnknownCodeError(ScanRefusedError):
    """What was scanned has the form of no code of ours."""

    code = "unknown_code"


class FieldLengthError(ScanRefusedError):
    """A field is shorter or longer than GS1 says."""

    code = "field_length"


class AmbiguousSeparatorError(ScanRefusedError):
    """Fields may have run together: the character between them may have been lost."""

    code = "ambiguous_separator"


class ConflictingFieldsError(ScanRefusedError):
    """Two fields of one code contradict each other."""

    code = "conflicting_fields"


class BadDateError(ScanRefusedError):
    """A date is none that the calendar has."""

    code = "bad_date"


class BadGtinError(ScanRefusedError):
    """The check digit of a trade item number is wrong."""

    code = "bad_gtin_check_digit"


class BadSsccError(ScanRefusedError):
    """The check digit of a tote's number is wrong."""

    code = "bad_sscc_check_digit"


class BadGsrnError(ScanRefusedError):
    """The check digit of a person's number (wristband, badge) is wrong."""

    code = "bad_gsrn_check_digit"


class BadGlnError(ScanRefusedError):
    """The check digit of a location number is wrong."""

    code = "bad_gln_check_digit"


class NotAPatientError(ScanRefusedError):
    """A number of another kind of person, or thing, stands where a patient's is wanted."""

    code = "not_a_patient_gsrn"


class WrongKindError(ScanRefusedError):
    """It is a code of ours, and not of the kind that was asked for."""

    code = "wrong_kind"
