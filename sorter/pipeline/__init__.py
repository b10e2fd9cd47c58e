"""Worker processes and the way of a photo through them: exactly one result per photo, in order."""
