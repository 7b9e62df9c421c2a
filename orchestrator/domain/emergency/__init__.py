"""Alarms of the building, how far they reach, and how robots get out of people's way."""
