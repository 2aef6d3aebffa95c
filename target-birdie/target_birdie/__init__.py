"""Singer target for Birdie."""
