"""The engine against every published observation: what was seen, what was predicted, and what that says."""
