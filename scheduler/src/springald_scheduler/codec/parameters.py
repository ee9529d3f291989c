"""Parameters of a plan: which there are, of which types, and nulls for those without a value."""

import itertools
from collections.abc import Iterator

import pyarrow as pa

from springald.plan.v1 import plan_pb2
from springald.scheduler.v1 import scheduler_pb2 as pb
from springald.sql_text import Kind, tokens
from springald.type.v1 import type_pb2
from springald.types import data_type_to_proto

_NULL = data_type_to_proto(pa.null())


def parameter_descriptions(plan: plan_pb2.Plan) -> list[pb.ParameterDescription]:
    """Returns the parameters of a plan, those by position first, each with its type if known."""
    types = _types(plan)
    by_position = sorted(int(name) for name in types if name.isdigit())
    names = [*map(str, by_position), *sorted(name for name in types if not name.isdigit())]
    return [pb.ParameterDescription(name=name, type=types[name]) for name in names]


def with_all_parameters(plan: plan_pb2.Plan) -> plan_pb2.Plan:
    """Returns a plan in which each parameter has a value: null, of its type, if it had none.

    So a query can be described whose values are not known yet.
    """
    holder = _holder(plan)
    if holder is None:
        return plan
    filled = plan_pb2.Plan()
    filled.CopyFrom(plan)
    values = _holder(filled)
    given = {each.name for each in holder.named_parameters}
    for name, data_type in _types(plan).items():
        if name.isdigit() or name in given or values is None:
            continue
        values.named_parameters.add(name=name, value=_null(data_type))
    types = _types(plan)
    last = max((int(name) for name in types if name.isdigit()), default=0)
    for position in range(len(holder.positional_parameters) + 1, min(last, 1_000) + 1):
        if values is not None:
            values.positional_parameters.append(_null(types.get(str(position))))
    return filled


def _holder(plan: plan_pb2.Plan) -> plan_pb2.SqlText | plan_pb2.RelationTree | None:
    """Returns the part of a plan that has the values."""
    match plan.WhichOneof("statement"):
        case "sql":
            return plan.sql
        case "relations":
            return plan.relations
    return None


def _null(data_type: type_pb2.DataType | None) -> type_pb2.Scalar:
    value = type_pb2.Value(null_value=type_pb2.NullValue())
    return type_pb2.Scalar(type=data_type or _NULL, value=value)


def _types(plan: plan_pb2.Plan) -> dict[str, type_pb2.DataType | None]:
    """Returns the type of each parameter by name, None where nobody says it."""
    holder = _holder(plan)
    if holder is None:
        return {}
    found: dict[str, type_pb2.DataType | None] = dict.fromkeys(_used(plan))
    for name, data_type in _declared(plan):
        found[name] = found.get(name) or data_type
    for position, value in enumerate(holder.positional_parameters, 1):
        found[str(position)] = value.type
    for each in holder.named_parameters:
        found[each.name] = each.value.type
    return found


def _used(plan: plan_pb2.Plan) -> Iterator[str]:
    if plan.WhichOneof("statement") == "sql":
        yield from names_in(plan.sql.text)
        return
    for relation in plan.relations.relations:
        if relation.WhichOneof("kind") == "sql":
            yield from names_in(relation.sql.query)
    for expression in plan.relations.expressions:
        if expression.WhichOneof("kind") == "parameter":
            yield expression.parameter.name or str(expression.parameter.position)


def _declared(plan: plan_pb2.Plan) -> Iterator[tuple[str, type_pb2.DataType]]:
    for expression in plan.relations.expressions:
        if expression.WhichOneof("kind") == "parameter" and expression.parameter.HasField("type"):
            parameter = expression.parameter
            yield parameter.name or str(parameter.position), parameter.type


def names_in(text: str) -> Iterator[str]:
    """Yields the names of the parameters in a text of SQL, without the dollar sign.

    Example:
        >>> list(names_in("SELECT $1, '$2', $limit"))
        ['1', 'limit']
    """
    found = list(tokens(text))
    for place, token in enumerate(found):
        if token.kind is not Kind.OTHER or token.text != "$":
            continue
        following = itertools.islice(found, place + 1, None)
        digits = itertools.takewhile(lambda each: each.text.isdigit(), following)
        number = "".join(digit.text for digit in digits)
        if number:
            yield number
        elif place + 1 < len(found) and found[place + 1].kind is Kind.WORD:
            yield found[place + 1].text
