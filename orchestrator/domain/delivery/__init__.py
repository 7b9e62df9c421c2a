"""What was asked for and how far it has come: jobs, deliveries, lines, totes and trips."""
