"""Faults on purpose: robots, messages and a broker that do what they should not, at planned moments."""
