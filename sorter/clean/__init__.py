"""What is wrong with files: broken, misnamed, duplicates, poor; and how to set them apart so that it can be undone."""
