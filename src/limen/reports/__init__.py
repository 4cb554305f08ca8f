"""Documents and pictures for people: deterministic, offline, made from data alone."""
