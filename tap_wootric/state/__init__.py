"""What earlier syncs know of a stream, and which records are new."""
