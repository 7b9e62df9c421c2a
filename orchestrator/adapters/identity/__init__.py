"""Who acts, as far as we can know it."""
