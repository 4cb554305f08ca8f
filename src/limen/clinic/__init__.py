"""The Django project: the only place that holds state."""
