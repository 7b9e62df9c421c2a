"""The ROS 2 nodes: conversions and wiring only. What decides is in `ros_nodes.onboard`."""
