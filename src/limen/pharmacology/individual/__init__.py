"""What is known of one patient, made into a forecast for that patient, and what could not be learned."""
