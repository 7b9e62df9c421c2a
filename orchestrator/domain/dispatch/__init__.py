"""Choosing: which robot fetches what next, and why something still waits."""
