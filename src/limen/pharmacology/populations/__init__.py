"""Virtual people: who they are, how they are drawn, and their percentiles at any number."""
