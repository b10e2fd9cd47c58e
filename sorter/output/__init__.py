"""Files put into their places, and the journal that survives whatever happens meanwhile."""
