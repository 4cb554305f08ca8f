"""Compiled kernels for populations and nonlinear effects.

Each module here imports numba when it is imported, which costs a few tenths of a second: import them only where there
is work for them. NumPy (``limen.pharmacology.kinetics``) stays the reference they are tested against. Ask
`threads.may_start` before calling a kernel that runs on several threads.
"""
