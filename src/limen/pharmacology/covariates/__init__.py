"""What else changes a patient's kinetics: other drugs, failing organs, genes."""
