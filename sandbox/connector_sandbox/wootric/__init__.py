"""The Wootric API."""
