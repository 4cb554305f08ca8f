"""Treatment sessions, their events, and what the monitors send."""
