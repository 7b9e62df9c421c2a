"""Wardporter's orchestrator: assigns deliveries to robots and keeps account of where every medicine is."""
