"""A promise that was seen broken in a simulated ward."""

from __future__ import annotations


class PromiseBrokenError(Exception):
    """What was seen that must not be: the number of the promise (docs/promises.md) and a sentence."""

    def __init__(self, promise: int, sentence: str) -> None:
        super().__init__(f"promise {promise} was broken: {sentence}")
        self.promise = promise
