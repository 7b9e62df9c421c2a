"""The robot side: what decides on board (`onboard`, no ROS) and the ROS 2 nodes around it (`nodes`)."""
