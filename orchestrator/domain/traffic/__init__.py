"""Who may drive where: resources, the safe-state monitor, routing, and the policy that keeps everybody moving."""
