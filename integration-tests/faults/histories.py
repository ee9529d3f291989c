"""The simulation's histories, as runs that are counted like all others."""

from faults.outcomes import Outcome, WrongError
from simulation.history import run_history


def simulated(seed: int) -> Outcome:
    """Lives through a history; see `python -m simulation`."""
    lived = run_history(seed)
    if lived.error is not None:
        raise WrongError(f"{lived.error}; python -m simulation --seed {seed} --histories 1")
    return Outcome(0, 0, figures={"steps": float(lived.steps), "faults": float(len(lived.faults))})
