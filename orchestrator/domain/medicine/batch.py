"""Batches as people write them: alike in all but letter case and spaces is one batch to whoever looks for it.

A pack's code says ``LOT7``, and a notice ``Lot 7``. What is looked for, or recalled, must not be missed for that; that
two batches of a medicine differ by nothing else is unheard of, and then both are looked at.
"""

from __future__ import annotations


def is_same_batch(batch: str, other: str) -> bool:
    """Whether two texts name one batch."""
    return _folded(batch) == _folded(other)


def _folded(batch: str) -> str:
    return "".join(batch.split()).casefold()
