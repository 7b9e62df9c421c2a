"""Topic names and quality of service shared by the nodes of one robot; names are relative to its namespace."""

from __future__ import annotations

from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy

PATH = "path"
"""nav_msgs/Path, agent to driver. Empty: brake and stand. Same header stamp as before and longer: go on."""

HOLD = "hold"
"""std_msgs/Bool, agent to driver. True: brake and hold the path; False: go on."""

CHARGE = "charge"
"""std_msgs/Bool, agent to driver. Whether the charger is connected."""

INITIAL_POSE = "initialpose"
"""geometry_msgs/PoseWithCovarianceStamped, agent to driver: where the robot stands, on which level (frame_id)."""

DRAWER_SWITCHES = "drawer_switches"
"""std_msgs/UInt8MultiArray, drawers to agent, ten times a second: a row of `SWITCHES` for each drawer that a dimension
of the layout is labelled with. 0 no, 1 yes, 2 not known. Silence for a second is not known either."""

DRAWER_UNLATCH = "drawer_unlatch"
"""std_msgs/String, agent to drawers: ``PURPOSE DRAWER``. Let go of one drawer, for its display say what for."""

DRAWER_LATCH = "drawer_latch"
"""std_msgs/String, agent to drawers: the drawer whose latch shall catch; it is closed."""

SEE_TO_DRAWERS = "see_to_drawers"
"""std_srvs/Trigger, of the agent: whoever turns the engineer's key at the robot has seen to a forced drawer."""

ODOM = "odom"
"""nav_msgs/Odometry, driver to all; frame_id is the level."""

BATTERY = "battery"
"""sensor_msgs/BatteryState, driver to all."""

TRANSFORM = "transform"
"""geometry_msgs/TransformStamped, where tf2_msgs is not there."""

COMMAND_QOS = QoSProfile(depth=10, reliability=ReliabilityPolicy.RELIABLE)
"""Commands arrive, in order, at whoever is there now; a late joiner must not act on an old path."""

SETTING_QOS = QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE, durability=DurabilityPolicy.TRANSIENT_LOCAL)
"""A setting that also a late joiner has to know."""

REPORT_QOS = QoSProfile(depth=10, reliability=ReliabilityPolicy.RELIABLE)
