"""The ways of a dose into the body, published and assumed."""
