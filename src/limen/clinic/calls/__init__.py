"""Who is called when an alarm is not answered, with proof that a screen has shown it."""
