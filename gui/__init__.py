"""The desktop app. Needs the extra `gui`."""
