"""Photos on their way to pixels: found, opened, turned upright, converted, hashed."""
