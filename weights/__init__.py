"""Model folders that ship with sorter."""
