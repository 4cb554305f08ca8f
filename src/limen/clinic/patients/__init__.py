"""Patients and the dated facts on record about them."""
