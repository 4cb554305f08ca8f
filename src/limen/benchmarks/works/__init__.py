"""One module a work, each with ``run()``."""
