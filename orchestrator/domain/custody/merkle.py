"""The tree over the ledger: RFC 6962 (section 2.1) and its successor RFC 9162, over stored subtree hashes.

A node is named by its level and position: node (0, i) is leaf i, node (l, p) is over the 2**l leaves from p * 2**l on.
Only complete nodes are stored, and these never change; the hash over any range of leaves that a proof asks for is put
together from at most one complete node a level. So an append and a proof need O(log n) nodes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

EMPTY_ROOT = hashlib.sha256().digest()
"""The root of the tree without leaves."""

NodeId = tuple[int, int]
"""Level and position of a complete node."""

NodeReader = Callable[[Sequence[NodeId]], Mapping[NodeId, bytes]]
"""Returns the hashes of complete nodes."""


def leaf_hash(leaf: bytes) -> bytes:
    """Return the hash of a leaf."""
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of a node over two others."""
    return hashlib.sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True, slots=True)
class Frontier:
    """The right edge of a tree: its size, and the hashes of the complete nodes that it consists of, largest first."""

    size: int = 0
    hashes: tuple[bytes, ...] = ()

    def append(self, leaf: bytes) -> tuple[Frontier, tuple[tuple[NodeId, bytes], ...]]:
        """Return the edge with one more leaf, by its hash, and the nodes above the leaf that are now complete."""
        hashes, hash_, position, level = list(self.hashes), leaf, self.size, 0
        completed: list[tuple[NodeId, bytes]] = []
        while position & 1:
            hash_ = node_hash(hashes.pop(), hash_)
            position, level = position >> 1, level + 1
            completed.append(((level, position), hash_))
        hashes.append(hash_)
        return Frontier(self.size + 1, tuple(hashes)), tuple(completed)

    def root(self) -> bytes:
        """Return the root of the tree."""
        return folded(self.hashes) if self.hashes else EMPTY_ROOT


def folded(hashes: Sequence[bytes]) -> bytes:
    """Return the hash over adjoining nodes of falling size."""
    found = hashes[-1]
    for hash_ in reversed(hashes[:-1]):
        found = node_hash(hash_, found)
    return found


def complete_nodes(start: int, end: int) -> list[NodeId]:
    """Return the complete nodes that a range of leaves consists of, when it is one that a tree of RFC 6962 has.

    Such a range starts at a multiple of the smallest power of two that is not less than its length.
    """
    found: list[NodeId] = []
    while start < end:
        level = (end - start).bit_length() - 1
        found.append((level, start >> level))
        start += 1 << level
    return found


def frontier_of(size: int, read: NodeReader) -> Frontier:
    """Return the right edge of the tree of the first ``size`` leaves."""
    nodes = complete_nodes(0, size)
    hashes = read(nodes)
    return Frontier(size, tuple(hashes[node] for node in nodes))


def _split(size: int) -> int:
    """Return the largest power of two below a size of at least 2."""
    return 1 << ((size - 1).bit_length() - 1)


def inclusion_ranges(index: int, size: int) -> list[tuple[int, int]]:
    """Return the ranges of leaves whose hashes prove that a leaf is in the tree, the nearest to the leaf first."""
    if not 0 <= index < size:
        raise ValueError("a leaf of the tree is proven")
    found: list[tuple[int, int]] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            found.append((middle, end))
            end = middle
        else:
            found.append((start, middle))
            start = middle
    return found[::-1]


def consistency_ranges(old: int, new: int) -> list[tuple[int, int]]:
    """Return the ranges of leaves whose hashes prove that a tree is the beginning of a larger one, in RFC order."""
    if not 0 <= old <= new:
        raise ValueError("a smaller tree is the beginning of a larger one")
    if old in (0, new):
        return []
    found: list[tuple[int, int]] = []
    start, end, is_whole = 0, new, True
    while old != end:
        middle = start + _split(end - start)
        if old <= middle:
            found.append((middle, end))
            end = middle
        else:
            found.append((start, middle))
            start, is_whole = middle, False
    if not is_whole:
        found.append((start, end))
    return found[::-1]


def hashes_of(ranges: Sequence[tuple[int, int]], read: NodeReader) -> tuple[bytes, ...]:
    """Return the hashes over ranges of leaves, with one reading of nodes."""
    nodes = [complete_nodes(start, end) for start, end in ranges]
    hashes = read([node for one in nodes for node in one])
    return tuple(folded([hashes[node] for node in one]) for one in nodes)


def inclusion_proof(index: int, size: int, read: NodeReader) -> tuple[bytes, ...]:
    """Return the proof that leaf ``index`` is in the tree of the first ``size`` leaves."""
    return hashes_of(inclusion_ranges(index, size), read)


def consistency_proof(old: int, new: int, read: NodeReader) -> tuple[bytes, ...]:
    """Return the proof that the tree of ``old`` leaves is the beginning of that of ``new`` leaves."""
    return hashes_of(consistency_ranges(old, new), read)


def is_included(leaf: bytes, *, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether a proof shows that a leaf, by its hash, is number ``index`` of a tree (RFC 9162, section 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    climbed = _climbed(index, size - 1, proof, left=(), right=(leaf,))
    return climbed == (root,)


def is_consistent(*, old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes) -> bool:
    """Whether a proof shows that one tree is the beginning of another (RFC 9162, section 2.1.4.2)."""
    if not 0 <= old <= new:
        return False
    if old in (0, new):
        return not proof and old_root == (new_root if old == new else EMPTY_ROOT)
    path = list(proof) if old & (old - 1) else [old_root, *proof]
    if not path:
        return False
    node, last = old - 1, new - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    climbed = _climbed(node, last, path[1:], left=(path[0],), right=(path[0],))
    return climbed == (old_root, new_root)


def _climbed(
    node: int, last: int, path: Sequence[bytes], *, left: tuple[bytes, ...], right: tuple[bytes, ...]
) -> tuple[bytes, ...] | None:
    """Return hashes carried from a node to the root, None when the path has another length than the way.

    ``left`` are carried over nodes on their left only: the old root of a consistency proof, which ends where the old
    tree ended. ``right`` are carried over all.
    """
    for hash_ in path:
        if last == 0:
            return None
        if node & 1 or node == last:
            left = tuple(node_hash(hash_, found) for found in left)
            right = tuple(node_hash(hash_, found) for found in right)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            right = tuple(node_hash(found, hash_) for found in right)
        node, last = node >> 1, last >> 1
    return (*left, *right) if last == 0 else None
