"""The child broker as a process: found, started, outliving its parent, ended."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.adapters.mqtt.broker import ChildBroker, keep_running
from orchestrator.adapters.mqtt.broker_place import BrokerPlace
from orchestrator.adapters.mqtt.errors import BrokerElsewhereError, BrokerNotLoopbackError, BrokerPortTakenError
from tests.support.brokers import accepts_connections, wait_until


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "broker"
    yield folder
    ChildBroker(folder).stop()


def _is_gone(pid: int) -> bool:
    """Whether the process has ended; one that waits to be reaped has."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_broker_on_a_free_port_answers_as_soon_as_start_returns(folder: Path) -> None:
    broker = ChildBroker(folder)
    place = broker.start()
    assert accepts_connections(place.host, place.port)
    assert broker.running() == place
    broker.stop()


def test_starting_twice_gives_the_same_process(folder: Path) -> None:
    broker = ChildBroker(folder)
    assert broker.start() == broker.start()
    broker.stop()


def test_broker_is_gone_after_stop_and_stopping_again_is_harmless(folder: Path) -> None:
    broker = ChildBroker(folder)
    place = broker.start()
    broker.stop()
    broker.stop()
    assert broker.running() is None
    assert _is_gone(place.pid)
    assert not accepts_connections(place.host, place.port)


def test_broker_survives_kill_9_of_its_parent_and_the_next_one_finds_it(folder: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from orchestrator.adapters.mqtt.broker import ChildBroker; "
        "print(ChildBroker(Path(sys.argv[1])).start().to_json(), flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(folder)], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        place = BrokerPlace.from_json(parent.stdout.readline())
        assert os.getsid(place.pid) == place.pid  # so Ctrl-C in its parent's terminal does not reach it
        parent.kill()
    assert ChildBroker(folder).start() == place
    ChildBroker(folder).stop()
    wait_until(lambda: _is_gone(place.pid), "the broker process is gone")


def test_broker_that_was_killed_comes_back_on_the_port_it_had(folder: Path) -> None:
    broker = ChildBroker(folder)
    before = broker.start()
    os.kill(before.pid, signal.SIGKILL)
    wait_until(lambda: broker.running() is None, "the broker has ended")
    after = broker.start()
    assert (after.host, after.port) == (before.host, before.port)
    assert after.pid != before.pid
    broker.stop()


def test_port_that_something_else_uses_is_refused_with_a_sentence(folder: Path, free_port: int) -> None:
    with socket.create_server(("127.0.0.1", free_port)):
        with pytest.raises(BrokerPortTakenError, match=f"Port {free_port} .* WARDPORTER_MQTT_URL"):
            ChildBroker(folder, port=free_port).start()
    assert ChildBroker(folder).running() is None


def test_last_port_that_something_else_took_meanwhile_is_given_up(folder: Path) -> None:
    broker = ChildBroker(folder)
    before = broker.start()
    broker.stop()
    with socket.create_server((before.host, before.port)):
        after = broker.start()
        assert after.port != before.port
        broker.stop()


def test_other_port_than_the_running_one_is_refused_and_the_broker_stays(folder: Path, free_port: int) -> None:
    running = ChildBroker(folder)
    place = running.start()
    with pytest.raises(BrokerElsewhereError, match=str(place.port)):
        ChildBroker(folder, port=free_port).start()
    assert running.running() == place
    running.stop()


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::", "broker.example"])
def test_address_that_other_machines_reach_is_refused(folder: Path, host: str) -> None:
    with pytest.raises(BrokerNotLoopbackError, match="Mosquitto"):
        ChildBroker(folder, host=host)


async def test_watched_broker_is_started_again_when_it_dies(folder: Path) -> None:
    broker = ChildBroker(folder)
    before = await asyncio.to_thread(broker.start)
    restarted: asyncio.Queue[BrokerPlace] = asyncio.Queue()
    watch = asyncio.create_task(keep_running(broker, told=restarted.put_nowait))
    os.kill(before.pid, signal.SIGKILL)
    after = await asyncio.wait_for(restarted.get(), timeout=20)
    assert (after.host, after.port) == (before.host, before.port)
    assert after.pid != before.pid
    watch.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await watch
    await asyncio.to_thread(broker.stop)


async def test_watched_broker_whose_port_is_taken_is_tried_again_until_it_is_free(folder: Path, free_port: int) -> None:
    broker = ChildBroker(folder, port=free_port)
    started: asyncio.Queue[BrokerPlace] = asyncio.Queue()
    with socket.create_server(("127.0.0.1", free_port)):
        watch = asyncio.create_task(keep_running(broker, told=started.put_nowait))
        errors = folder / "broker.err"
        await asyncio.to_thread(
            wait_until, lambda: errors.exists() and errors.stat().st_size > 0, "it was refused once"
        )
    assert (await asyncio.wait_for(started.get(), timeout=20)).port == free_port
    watch.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await watch
    await asyncio.to_thread(broker.stop)


def test_command_line_runs_a_broker_until_it_is_told_to_end(folder: Path, free_port: int) -> None:
    command = [sys.executable, "-m", "orchestrator.adapters.mqtt.broker", "--port", str(free_port)]
    command += ["--bind", "127.0.0.1", "--folder", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert BrokerPlace.from_json(process.stdout.readline()).port == free_port
        process.terminate()
        assert process.wait(timeout=20) == 0


def test_command_line_refuses_an_address_beyond_this_machine(folder: Path) -> None:
    command = [sys.executable, "-m", "orchestrator.adapters.mqtt.broker", "--bind", "0.0.0.0", "--folder", str(folder)]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert answer.returncode == 2
    assert "knows no passwords" in answer.stderr
