"""Limen: an open system for ketamine therapy. It advises; a licensed person decides."""

__version__ = "0.1.0"
