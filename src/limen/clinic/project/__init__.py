"""The project: settings from the environment, addresses, and what stands around every request."""
