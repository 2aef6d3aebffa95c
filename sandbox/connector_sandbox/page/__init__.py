"""The page and the control API, for people and tests."""
