"""Views of what was done: CSV, HTML, Parquet."""
