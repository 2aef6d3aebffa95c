"""The Wootric API: one request until it is answered, for the streams and the account check."""
