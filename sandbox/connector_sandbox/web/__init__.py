"""HTTP: the server, requests and replies, rate limits."""
