"""What decides on board, without ROS and without I/O: real and virtual robots run the same code."""
