"""What the authority refuses."""

from __future__ import annotations

from orchestrator.domain.errors import ConflictError, InvalidInputError, NotFoundError


class PkiFolderError(InvalidInputError):
    """The folder of the authority cannot be used."""

    code = "pki_folder"


class NoAuthorityError(NotFoundError):
    """There is no authority in the folder."""

    code = "pki_no_authority"


class AuthorityEndedError(ConflictError):
    """The authority's own certificate is out of date."""

    code = "pki_authority_ended"


class CertificateThereError(ConflictError):
    """What was asked for is there already, and nothing is overwritten unasked."""

    code = "pki_exists"


class NoCertificateError(NotFoundError):
    """Nobody of that name has a certificate that could be taken back."""

    code = "pki_no_certificate"


class IdentityError(InvalidInputError):
    """A name that cannot stand in a certificate, a file name and an access list alike."""

    code = "pki_identity"


class RequestError(InvalidInputError):
    """A certificate signing request that cannot be used."""

    code = "pki_request"
