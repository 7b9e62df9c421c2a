"""Checked YAML for sites, robot models, fleets and policies; and the map formats of others."""
