"""Sites and their chairs."""
