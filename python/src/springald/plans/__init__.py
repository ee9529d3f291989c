"""Logical plans of `springald.plan.v1`: what holds of every plan, and how to find out.

Clients check a plan before they send it, and servers before they look at it, with the same code. It
needs the generated messages and the standard library only.
"""

from springald.plans.check import check_plan, problems_of
from springald.plans.problems import Problem

__all__ = ["Problem", "check_plan", "problems_of"]
