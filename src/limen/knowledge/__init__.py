"""The clinic's rules as data: one module of schema and loader for each topic, its YAML under ``data/<topic>``."""
