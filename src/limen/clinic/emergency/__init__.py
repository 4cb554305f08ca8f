"""Emergency mode: one press from any page calls everyone by name, and keeps the times."""
