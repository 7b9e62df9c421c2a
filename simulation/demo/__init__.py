"""The demonstration: the whole house on one machine, with people played through the public API."""
