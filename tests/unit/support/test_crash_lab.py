"""What may be left of a file after a power cut, and what may not."""

from __future__ import annotations

from random import Random

import pytest

from tests.support.crash_lab.disk import BLOCK, SECTOR, Disk, Survival
from tests.support.crash_lab.recording import Folder, Name, Op, Resize, Sync, SyncFolder, Write

ROOT, PATH = "/disk", "/disk/file"
OLD, NEW = b"o" * 3 * BLOCK, b"n" * 3 * BLOCK
BEGUN: tuple[Op, ...] = (Name(PATH, 0), SyncFolder(ROOT), Write(0, 0, OLD), Sync(0))


def disk_after(*ops: Op) -> Disk:
    disk = Disk(ROOT)
    for op in ops:
        disk.apply(op)
    return disk


def lefts(disk: Disk, survival: Survival, *, tries: int = 300) -> set[bytes | None]:
    return {disk.left(survival, Random(seed)).get(PATH) for seed in range(tries)}


def parts(content: bytes, grain: int) -> list[bytes]:
    return [content[start : start + grain] for start in range(0, len(content), grain)]


@pytest.mark.parametrize("survival", Survival)
def test_what_was_synced_is_there_whatever_happens(survival: Survival) -> None:
    assert lefts(disk_after(*BEGUN), survival) == {OLD}


def test_what_was_not_synced_is_there_whole_or_not_at_all_when_asked_so() -> None:
    disk = disk_after(*BEGUN, Write(0, 0, NEW))
    assert lefts(disk, Survival.NOTHING) == {OLD}
    assert lefts(disk, Survival.EVERYTHING) == {NEW}


@pytest.mark.parametrize(("survival", "grain"), [(Survival.SOME_BLOCKS, BLOCK), (Survival.SOME_SECTORS, SECTOR)])
def test_each_block_or_sector_is_old_or_new_and_in_any_mixture(survival: Survival, grain: int) -> None:
    found = lefts(disk_after(*BEGUN, Write(0, 0, NEW)), survival)
    assert all(part in (b"o" * grain, b"n" * grain) for content in found if content for part in parts(content, grain))
    mixed = [content for content in found if content and content not in (OLD, NEW)]
    # A later part may be there without an earlier one, and the reverse.
    assert any(content.startswith(b"o") and content.endswith(b"n") for content in mixed)
    assert any(content.startswith(b"n") and content.endswith(b"o") for content in mixed)


def test_sector_with_a_later_write_holds_the_earlier_one_too() -> None:
    disk = disk_after(*BEGUN, Write(0, 0, b"1" * 100), Write(0, 100, b"2" * 100))
    starts = {content[:200] for content in lefts(disk, Survival.SOME_SECTORS) if content}
    assert starts == {b"o" * 200, b"1" * 100 + b"o" * 100, b"1" * 100 + b"2" * 100}


def test_longer_file_may_be_as_short_as_before_and_hold_nothing_where_nothing_came_through() -> None:
    disk = disk_after(*BEGUN, Write(0, len(OLD), NEW))
    found = lefts(disk, Survival.SOME_BLOCKS)
    assert OLD in found
    assert OLD + NEW in found
    assert OLD + bytes(BLOCK) + NEW[BLOCK:] in found
    assert {len(content) for content in found if content} == {len(OLD), len(OLD) + len(NEW)}


def test_file_made_shorter_and_longer_again_never_shows_what_was_cut_off() -> None:
    disk = disk_after(*BEGUN, Resize(0, 0), Sync(0), Write(0, 0, b"n"), Write(0, 2 * BLOCK, b"n"))
    assert not any(b"o" in content for content in lefts(disk, Survival.SOME_SECTORS) if content)


def test_name_is_there_only_once_its_folder_was_synced() -> None:
    unsynced = disk_after(Name(PATH, 0), Write(0, 0, OLD), Sync(0))
    assert lefts(unsynced, Survival.NOTHING) == {None}
    assert lefts(unsynced, Survival.SOME_BLOCKS) == {None, OLD}
    unsynced.apply(SyncFolder(ROOT))
    assert lefts(unsynced, Survival.NOTHING) == {OLD}


def test_file_in_a_folder_whose_name_is_lost_is_lost() -> None:
    inner = "/disk/new/file"
    begun: tuple[Op, ...] = (Folder("/disk/new"), Name(inner, 0), Write(0, 0, OLD), Sync(0), SyncFolder("/disk/new"))
    assert disk_after(*begun).left(Survival.NOTHING, Random(0)) == {}
    assert disk_after(*begun, SyncFolder(ROOT)).left(Survival.NOTHING, Random(0)) == {inner: OLD}


def test_renamed_file_is_under_its_old_name_or_its_new_one() -> None:
    disk = disk_after(*BEGUN, Name("/disk/other", 0, was=PATH))
    found = {tuple(sorted(disk.left(Survival.SOME_BLOCKS, Random(seed)))) for seed in range(100)}
    assert found == {(PATH,), ("/disk/other",)}
    disk.apply(SyncFolder(ROOT))
    assert disk.left(Survival.NOTHING, Random(0)) == {"/disk/other": OLD}
