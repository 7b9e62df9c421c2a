"""The errors a robot reports: rejected messages, failed actions, and faults that last."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

from orchestrator.vda5050.messages import Action, ErrorLevel, ErrorReference, ErrorReport
from ros_nodes.onboard.order_acceptance import Verdict

_KEPT = 10
ACTION_FAILED = "actionError"


class Complaints:
    """What is wrong, as reported. Rejections stay until an order is accepted, faults until they are cleared."""

    def __init__(self) -> None:
        self._rejections: deque[ErrorReport] = deque(maxlen=_KEPT)
        self._faults: dict[str, ErrorReport] = {}

    @property
    def is_fatal(self) -> bool:
        """Whether a fault keeps the robot from driving."""
        return any(fault.error_level is ErrorLevel.FATAL for fault in self._faults.values())

    def reject(self, verdict: Verdict) -> None:
        """Report a message that was not taken; the same complaint is kept once."""
        self._remember(
            ErrorReport(
                error_type=verdict.error_type,
                error_level=ErrorLevel.WARNING,
                error_description=verdict.description,
                error_hint=verdict.hint or None,
                error_references=_references(verdict.references or {}),
            )
        )

    def action_failed(self, action: Action, sentence: str) -> None:
        """Report an action that could not be carried out."""
        self._remember(
            ErrorReport(
                error_type=ACTION_FAILED,
                error_level=ErrorLevel.WARNING,
                error_description=f"{action.action_type} failed: {sentence}.",
                error_references=_references({"actionId": action.action_id}),
            )
        )

    def forget_rejections(self) -> None:
        """Drop what was about earlier orders."""
        self._rejections.clear()

    def raise_fault(self, error_type: str, description: str, *, is_fatal: bool) -> None:
        """Report a fault until `clear_fault`."""
        level = ErrorLevel.FATAL if is_fatal else ErrorLevel.WARNING
        self._faults[error_type] = ErrorReport(error_type=error_type, error_level=level, error_description=description)

    def clear_fault(self, error_type: str) -> None:
        """Drop the fault of this type, if there is one."""
        self._faults.pop(error_type, None)

    def has_fault(self, error_type: str) -> bool:
        """Whether a fault of this type is reported."""
        return error_type in self._faults

    def reported(self) -> tuple[ErrorReport, ...]:
        """Return all errors as they stand in a state message."""
        return (*self._faults.values(), *self._rejections)

    def _remember(self, report: ErrorReport) -> None:
        if report not in self._rejections:
            self._rejections.append(report)


def _references(values: Mapping[str, str]) -> tuple[ErrorReference, ...]:
    return tuple(ErrorReference(reference_key=key, reference_value=value) for key, value in values.items())
