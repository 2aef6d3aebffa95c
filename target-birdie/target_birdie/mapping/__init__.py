"""From a tap's record to a Birdie payload, without HTTP, files or state (except `schema_path`)."""
