"""What the ward's rules decide. Pure: no I/O, no clock, no logging."""
