"""The data of the Wootric account."""
