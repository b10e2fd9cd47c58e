"""`sorter clean`: finds broken, misnamed, duplicate and poor files, and quarantines them undoably."""
