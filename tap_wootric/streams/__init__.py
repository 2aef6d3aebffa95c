"""What the tap extracts: the streams, their schemas, and how records are normalized."""
