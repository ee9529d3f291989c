"""Faults at random moments of real queries, from a printed seed: see `faults.scenarios`."""
