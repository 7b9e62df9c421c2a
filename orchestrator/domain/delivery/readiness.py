"""What has to be said of a delivery before a robot, or a messenger, comes for it."""

from __future__ import annotations

from orchestrator.domain.custody.premises import Premises
from orchestrator.domain.delivery.custody_record import Carrier
from orchestrator.domain.delivery.model import Delivery
from orchestrator.domain.reason import Reason


def missing_before_carriage(delivery: Delivery, premises: Premises) -> tuple[Reason, ...]:
    """Return what is still missing, in the order in which people do it; empty when it may be carried.

    Parameters
    ----------
    delivery : Delivery
        The delivery.
    premises : Premises
        Where, and by which policy.
    """
    rule, custody = premises.rule(delivery.handling_class), delivery.custody
    missing: list[Reason] = []
    if custody.verified is None:
        missing.append(Reason("verification_missing", "It waits for a pharmacist to verify it."))
    if rule.needs_check and custody.dispensed_by is None:
        missing.append(Reason("dispensing_missing", "It waits until each line was picked, scanned and counted."))
    if rule.needs_check and custody.checked is None:
        missing.append(Reason("check_missing", "It waits for an independent check by somebody who did not pick it."))
    if rule.needs_acceptance and custody.acceptance is None:
        missing.append(Reason("acceptance_missing", "It waits until the ward accepts it and names two people."))
    if rule.needs_carriage_approval and custody.carrier is Carrier.ROBOT and not custody.models:
        missing.append(Reason("approval_missing", "No approval of the accountable officer covers this route."))
    return tuple(missing)
