"""Expressions, and what they are made of.

Example:
    >>> from springald.expr import Window, WindowFrame
    >>> Window(partition_by="a", window_frame=WindowFrame("rows", 1, 0)).partition_by
    'a'
"""

from springald.expr.case import CaseBuilder, case, when
from springald.expr.expr import (
    Expr,
    SortExpr,
    col,
    column,
    lit,
    literal,
    placeholder,
    star,
)
from springald.expr.grouping import Grouping, GroupingSet
from springald.expr.lambdas import lambda_, lambda_var
from springald.expr.modifiers import Window
from springald.expr.subqueries import (
    compare_all,
    compare_any,
    exists,
    in_subquery,
    outer_col,
    scalar_subquery,
)
from springald.expr.window import NullTreatment, WindowFrame, WindowFrameBound

__all__ = [
    "CaseBuilder",
    "Expr",
    "Grouping",
    "GroupingSet",
    "NullTreatment",
    "SortExpr",
    "Window",
    "WindowFrame",
    "WindowFrameBound",
    "case",
    "col",
    "column",
    "compare_all",
    "compare_any",
    "exists",
    "in_subquery",
    "lambda_",
    "lambda_var",
    "lit",
    "literal",
    "outer_col",
    "placeholder",
    "scalar_subquery",
    "star",
    "when",
]
