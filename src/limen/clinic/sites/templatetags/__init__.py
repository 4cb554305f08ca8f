"""Template words of standing orders."""
