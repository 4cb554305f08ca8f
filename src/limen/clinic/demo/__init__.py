"""The demonstration clinic: synthetic patients at every stage of treatment."""
