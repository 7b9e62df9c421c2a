"""The tree against the vectors of RFC 6962 (as published by the Certificate Transparency project) and a naive one."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.domain.custody.merkle import (
    EMPTY_ROOT,
    Frontier,
    NodeId,
    consistency_proof,
    frontier_of,
    inclusion_proof,
    is_consistent,
    is_included,
    leaf_hash,
)

LEAVES = [
    bytes.fromhex(leaf)
    for leaf in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
A = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"
B = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"
C = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"
D = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"
E = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"
F = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a"


class Tree:
    """A tree that keeps its complete nodes as the store does."""

    def __init__(self, leaves: Sequence[bytes]) -> None:
        self.kept: dict[NodeId, bytes] = {}
        self.frontier = Frontier()
        self.read_count = 0
        for leaf in leaves:
            hash_ = leaf_hash(leaf)
            self.kept[0, self.frontier.size] = hash_
            self.frontier, completed = self.frontier.append(hash_)
            self.kept.update(completed)

    def read(self, nodes: Sequence[NodeId]) -> Mapping[NodeId, bytes]:
        self.read_count += len(nodes)
        return {node: self.kept[node] for node in nodes}


def naive_root(leaves: Sequence[bytes]) -> bytes:
    """RFC 6962, section 2.1, word for word."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return hashlib.sha256(b"\x01" + naive_root(leaves[:k]) + naive_root(leaves[k:])).digest()


def naive_path(m: int, leaves: Sequence[bytes]) -> list[bytes]:
    """RFC 6962, section 2.1.1, word for word."""
    if len(leaves) == 1:
        return []
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    if m < k:
        return [*naive_path(m, leaves[:k]), naive_root(leaves[k:])]
    return [*naive_path(m - k, leaves[k:]), naive_root(leaves[:k])]


def naive_consistency(m: int, leaves: Sequence[bytes], *, is_whole: bool = True) -> list[bytes]:
    """RFC 6962, section 2.1.2, word for word."""
    if m == len(leaves):
        return [] if is_whole else [naive_root(leaves)]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    if m <= k:
        return [*naive_consistency(m, leaves[:k], is_whole=is_whole), naive_root(leaves[k:])]
    return [*naive_consistency(m - k, leaves[k:], is_whole=False), naive_root(leaves[:k])]


def test_the_roots_are_those_of_the_vectors() -> None:
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert [Tree(LEAVES[:size]).frontier.root().hex() for size in range(1, 9)] == ROOTS


@pytest.mark.parametrize(
    ("leaf", "size", "proof"),
    [(1, 1, []), (1, 8, [D, A, E]), (6, 8, [B, C, ROOTS[3]]), (3, 3, [ROOTS[1]]), (2, 5, [ROOTS[0], A, B])],
)
def test_the_inclusion_proofs_are_those_of_the_vectors(leaf: int, size: int, proof: list[str]) -> None:
    found = inclusion_proof(leaf - 1, size, Tree(LEAVES).read)
    assert [hash_.hex() for hash_ in found] == proof


@pytest.mark.parametrize(
    ("old", "new", "proof"),
    [(1, 1, []), (1, 8, [D, A, E]), (6, 8, [F, C, ROOTS[3]]), (2, 5, [A, B]), (0, 8, [])],
)
def test_the_consistency_proofs_are_those_of_the_vectors(old: int, new: int, proof: list[str]) -> None:
    found = consistency_proof(old, new, Tree(LEAVES).read)
    assert [hash_.hex() for hash_ in found] == proof


@given(st.integers(1, 130), st.data())
def test_roots_and_proofs_are_those_of_a_naive_tree(size: int, data: st.DataObject) -> None:
    leaves = [bytes([number % 251]) * (number % 5) for number in range(size)]
    tree = Tree(leaves)
    new = data.draw(st.integers(1, size))
    old = data.draw(st.integers(1, new))
    index = data.draw(st.integers(0, new - 1))
    root, old_root = naive_root(leaves[:new]), naive_root(leaves[:old])
    assert frontier_of(new, tree.read).root() == root
    included = inclusion_proof(index, new, tree.read)
    assert list(included) == naive_path(index, leaves[:new])
    assert is_included(leaf_hash(leaves[index]), index=index, size=new, proof=included, root=root)
    consistent = consistency_proof(old, new, tree.read)
    assert list(consistent) == naive_consistency(old, leaves[:new])
    assert is_consistent(old=old, new=new, proof=consistent, old_root=old_root, new_root=root)


@given(st.integers(2, 70), st.data())
def test_a_proof_that_is_changed_anywhere_proves_nothing(size: int, data: st.DataObject) -> None:
    leaves = [bytes([number]) for number in range(size)]
    tree, root = Tree(leaves), naive_root(leaves)
    index = data.draw(st.integers(0, size - 1))
    proof = list(inclusion_proof(index, size, tree.read))
    changed = [*proof]
    place = data.draw(st.integers(0, len(proof) - 1))
    changed[place] = bytes(32) if data.draw(st.booleans()) else changed[place][::-1]
    leaf = leaf_hash(leaves[index])
    assert not is_included(leaf, index=index, size=size, proof=changed, root=root)
    assert not is_included(leaf, index=index, size=size, proof=proof[:-1], root=root)
    assert not is_included(leaf, index=index, size=size, proof=[*proof, bytes(32)], root=root)
    assert not is_included(leaf_hash(b"other"), index=index, size=size, proof=proof, root=root)
    old = data.draw(st.integers(1, size - 1))
    old_root = naive_root(leaves[:old])
    consistent = list(consistency_proof(old, size, tree.read))
    forked = naive_root([*leaves[: old - 1], b"other"])
    assert not is_consistent(old=old, new=size, proof=consistent, old_root=forked, new_root=root)
    assert not is_consistent(old=old, new=size, proof=consistent[:-1], old_root=old_root, new_root=root)
    assert not is_consistent(old=old, new=size, proof=[*consistent, bytes(32)], old_root=old_root, new_root=root)


def test_a_proof_reads_as_many_nodes_as_the_tree_is_high() -> None:
    tree = Tree([bytes([number % 256]) for number in range(5_000)])
    for index in (0, 1, 2_500, 4_095, 4_096, 4_999):
        tree.read_count = 0
        inclusion_proof(index, 5_000, tree.read)
        assert tree.read_count <= 13 * 2
        tree.read_count = 0
        consistency_proof(index + 1, 5_000, tree.read)
        assert tree.read_count <= 13 * 3


def test_nothing_outside_the_tree_is_included_or_consistent() -> None:
    root = bytes.fromhex(ROOTS[7])
    assert not is_included(leaf_hash(b""), index=8, size=8, proof=[], root=root)
    assert not is_consistent(old=9, new=8, proof=[], old_root=root, new_root=root)
    assert not is_consistent(old=8, new=8, proof=[], old_root=EMPTY_ROOT, new_root=root)
    assert is_consistent(old=0, new=8, proof=[], old_root=EMPTY_ROOT, new_root=root)
    with pytest.raises(ValueError, match="smaller"):
        consistency_proof(9, 8, Tree(LEAVES).read)
