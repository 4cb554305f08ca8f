"""The doors to other systems: what comes in is checked, dated and accounted for."""
