"""How long records beside the ledger are kept, and what is left of them when they go."""
