"""Robots: what a model can do, who is in the fleet, and what each was last told and heard to do."""
