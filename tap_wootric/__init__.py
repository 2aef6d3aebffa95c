"""Singer tap for Wootric."""
