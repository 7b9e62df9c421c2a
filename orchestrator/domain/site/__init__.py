"""Where robots drive: waypoints, lanes, doors, lifts, stations and walls of one hospital."""
