"""What people mark themselves."""
