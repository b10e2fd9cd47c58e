"""The kinds of files that `scripts/make_format_suite.py` writes."""
