"""Use cases: each arranges one act, owns its transaction, and talks to the world through the ports."""
