"""Who may do what: people, roles, permissions."""
