"""Doors and lifts over the broker, by the device protocol."""
