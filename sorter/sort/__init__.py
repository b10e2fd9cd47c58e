"""`sorter run`, `undo` and `status`, and the review of what was sorted."""
