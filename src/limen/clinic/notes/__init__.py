"""The session note: written from events, signed by a person."""
