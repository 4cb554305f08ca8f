"""What every page shares: base templates, static files, sign-in, health."""
