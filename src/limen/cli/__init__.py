"""The command line: a thin door to the same functions that serve the screens and the API."""
