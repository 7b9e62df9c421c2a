"""What scanned codes say, and when they must not be trusted."""
