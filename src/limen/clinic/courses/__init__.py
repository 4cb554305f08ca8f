"""Courses of treatment: screening, overrides, plan, signature."""
