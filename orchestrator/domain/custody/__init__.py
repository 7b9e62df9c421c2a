"""Custody: the ledger, and who answers for what."""
