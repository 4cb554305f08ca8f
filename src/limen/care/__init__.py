"""Decisions: pure functions over knowledge and the facts of one case."""
