"""VDA 5050: messages, codec, addresses, and the master's side of the link. Pure: no I/O, no clock."""
