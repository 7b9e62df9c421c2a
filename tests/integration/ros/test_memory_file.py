"""The robot's memory on a real disk. No ROS needed."""

from __future__ import annotations

from pathlib import Path

import pytest

from ros_nodes.nodes.memory_file import FILE_NAME, MemoryFile
from ros_nodes.onboard.memory import MemoryUnreadableError, RobotMemory
from ros_nodes.onboard.path_geometry import Pose

MEMORY = RobotMemory(
    pose=Pose("L1", 1.5, -2.0, 0.1),
    battery=0.42,
    loads={"top": "L7"},
    last_node="B",
    last_sequence=6,
    header_ids={"state": 99},
    orders=("order-1",),
)


def test_memory_survives_and_replaces_what_was_there(tmp_path: Path) -> None:
    file = MemoryFile(tmp_path / "R1")
    file.save(RobotMemory(pose=Pose("L1", 0.0, 0.0)))
    file.save(MEMORY)
    assert MemoryFile(tmp_path / "R1").load() == MEMORY
    assert [path.name for path in (tmp_path / "R1").iterdir()] == [FILE_NAME]


def test_new_robot_remembers_nothing(tmp_path: Path) -> None:
    assert MemoryFile(tmp_path).load() is None


def test_power_lost_while_writing_leaves_the_old_memory(tmp_path: Path) -> None:
    file = MemoryFile(tmp_path)
    file.save(MEMORY)
    (tmp_path / "memory.new").write_bytes(b'{"pose": ["L1"')
    assert MemoryFile(tmp_path).load() == MEMORY
    file.save(MEMORY)
    assert file.load() == MEMORY


def test_damaged_memory_is_not_guessed(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(MEMORY.to_json()[:-5])
    with pytest.raises(MemoryUnreadableError):
        MemoryFile(tmp_path).load()
