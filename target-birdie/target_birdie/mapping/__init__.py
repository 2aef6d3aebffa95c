"""From a tap's record to a Birdie payload: pure, without HTTP, files or state."""
