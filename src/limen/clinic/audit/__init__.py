"""The audit trail, and the rule that every write goes through a named act."""
