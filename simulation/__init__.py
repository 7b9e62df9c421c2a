"""Simulated wards: virtual robots, devices, people and faults on a virtual clock."""
