"""`sorter collect`: pictures from searches, lists and folders into class folders, with where each came from."""
