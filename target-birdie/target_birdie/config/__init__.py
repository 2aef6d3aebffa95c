"""The settings: declared in `schema`, checked and read in `settings`."""
