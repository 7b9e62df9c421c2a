"""What a medicine is and how strictly it is handled."""
