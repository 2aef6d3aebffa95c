"""Delivery of payloads to Birdie, to files, or to nowhere in a dry run."""
