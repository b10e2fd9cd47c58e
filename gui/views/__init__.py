"""The middle of the window: photos in rows, one photo, and photos side by side."""
