"""A vehicle on PyPI's vda5050-sdk (VDA 5050 2.1.0): its VehicleClient and OrderExecutor, driving in straight lines.

Runs in an environment of its own that has the library. Arguments: broker url, manufacturer, serial number, x, y, map,
metres a second; at 0 it is the library's own executor, which leaps from node to node. ``TRIAL_TLS`` names the folder of
a credential; the library's transport takes none by itself.
"""

# pyright: basic, reportMissingImports=false
from __future__ import annotations

import asyncio
import math
import os
import ssl
import sys
from pathlib import Path

import aiomqtt
from vda5050 import VehicleClient, VehicleConfig
from vda5050.client.agv.executor import OrderExecutor

TICK_S = 0.1
LEAP_S = 1.0


def driver_of(publisher, speed_m_s: float) -> OrderExecutor:
    class Driver(OrderExecutor):
        async def visit_node(self, node) -> None:
            goal, here = node.node_position, publisher.agv_position
            while (left_m := math.hypot(goal.x - here.x, goal.y - here.y)) > speed_m_s * TICK_S:
                step = speed_m_s * TICK_S / left_m
                x, y = here.x + (goal.x - here.x) * step, here.y + (goal.y - here.y) * step
                publisher.update_position(x=x, y=y, theta=0.0, map_id=here.map_id)
                here = publisher.agv_position
                await asyncio.sleep(TICK_S)
            await super().visit_node(node)

    return Driver(publisher)


def use_credential(files: Path) -> None:
    context = ssl.create_default_context(cafile=str(files / "ca.crt"))
    context.load_cert_chain(files / "client.crt", files / "client.key")
    plain = aiomqtt.Client
    aiomqtt.Client = lambda **more: plain(tls_context=context, **more)


async def main() -> None:
    url, manufacturer, serial_number, x, y, map_id, speed = sys.argv[1:8]
    if "TRIAL_TLS" in os.environ:
        use_credential(Path(os.environ["TRIAL_TLS"]))
    config = VehicleConfig(manufacturer=manufacturer, serial_number=serial_number, broker_url=url)
    async with VehicleClient(config) as vehicle:
        vehicle.update_position(x=float(x), y=float(y), theta=0.0, map_id=map_id)
        moves = float(speed) > 0.0
        driver = (
            driver_of(vehicle.publisher, float(speed)) if moves else OrderExecutor(vehicle.publisher, node_delay=LEAP_S)
        )
        vehicle.on_order(driver.run)
        await asyncio.Event().wait()


asyncio.run(main())
