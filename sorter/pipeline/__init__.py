"""Worker processes, and the way of photos through them: exactly one result per photo, in order."""
