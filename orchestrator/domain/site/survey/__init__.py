"""The linter's long look: who stands in whose way, what helps, what traffic will be like, and a verdict."""
