"""Django's SQLite, with a wait for the one writer's lock that lets nobody starve."""
