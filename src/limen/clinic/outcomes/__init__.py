"""Questionnaires, what they scored, and the tasks they raise."""
