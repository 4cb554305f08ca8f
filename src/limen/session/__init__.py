"""One treatment session: an append-only list of events, the state they fold to, its replay and its note."""
