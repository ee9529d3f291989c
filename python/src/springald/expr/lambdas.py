"""Small functions that are arguments of functions, such as `functions.array_transform`."""

import inspect
from collections.abc import Callable, Sequence
from typing import Any

from springald.errors import InvalidArgumentError
from springald.expr.expr import Expr, to_value
from springald.expr.node import expression
from springald.plan.v1 import functions_pb2

__all__ = ["lambda_", "lambda_var", "to_lambda"]


def lambda_(params: Sequence[str], body: Expr) -> Expr:
    """Returns a function of some parameters.

    Example:
        >>> lambda_(["x"], lambda_var("x") + 1)
        Expr((x) -> x + 1)
    """
    message = functions_pb2.LambdaExpression(parameters=params)
    return Expr(expression("lambda_function", message, (body.node,)))


def lambda_var(name: str) -> Expr:
    """Returns a parameter of the lambda round it.

    Example:
        >>> lambda_var("x")
        Expr(x)
    """
    return Expr(expression("lambda_variable", functions_pb2.LambdaVariableExpression(name=name)))


def to_lambda(function: Expr | Callable[..., Any]) -> Expr:
    """Returns a function of Python as an expression: it is called once, with its parameters.

    Example:
        >>> to_lambda(lambda x: x > 1)
        Expr((x) -> x > 1)

    Raises:
        InvalidArgumentError: It takes no parameters by position, or is no function at all.
    """
    if isinstance(function, Expr):
        return function
    if not callable(function):
        raise InvalidArgumentError(
            f"a lambda is a function or an expression: got a {type(function).__name__}"
        )
    names = list(inspect.signature(function).parameters)
    if not names:
        raise InvalidArgumentError("a lambda has at least one parameter: got a function of none")
    return lambda_(names, to_value(function(*map(lambda_var, names))))
