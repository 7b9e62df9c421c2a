"""What a check of a site found: as JSON for machines and as a page for people."""
