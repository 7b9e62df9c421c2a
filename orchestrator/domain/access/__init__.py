"""Who may do what: everything that can be done, the one policy table, and the decision."""
