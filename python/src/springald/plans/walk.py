"""The walk through a plan from its root: what stands where, and whether it may."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from springald.plan.v1 import functions_pb2, plan_pb2
from springald.plans.fields import missing, number_of
from springald.plans.operators import operator_of
from springald.plans.problems import Problem, expression_name, relation_name
from springald.plans.uses import Role, call_uses, relation_uses, subquery_of

_AGGREGATE: Final = functions_pb2.FUNCTION_KIND_AGGREGATE
_WINDOW: Final = functions_pb2.FUNCTION_KIND_WINDOW


@dataclass(frozen=True, slots=True)
class _Names:
    """Names that may be used at a place, the innermost first.

    Attributes:
        places: Names, each with its place in a list.
        before: Only names whose place is before this one count.
        outer: Names further out.
    """

    places: Mapping[str, int]
    before: int
    outer: "_Names | None" = None

    def has(self, name: str) -> bool:
        found: _Names | None = self
        while found is not None:
            if found.places.get(name, found.before) < found.before:
                return True
            found = found.outer
        return False


def _names(names: Iterable[str], outer: "_Names | None") -> _Names:
    places = {name: place for place, name in enumerate(names)}
    return _Names(places, len(places), outer)


@dataclass(frozen=True, slots=True)
class _RelationPlace:
    """Where a relation stands.

    Attributes:
        user: The name of the node that uses it.
        before: A place in the list of relations that it must stand before.
        depth: How many relations it is nested in, itself included.
        levels: How many queries are round it, whose columns it may use.
        ctes: Names of relations that it may read.
        expressions: How many expressions are round it.
    """

    user: str
    before: int
    depth: int = 1
    levels: int = 0
    ctes: _Names | None = None
    expressions: int = 0


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an expression stands.

    Attributes:
        user: The name of the node that uses it.
        before: A place in the list of expressions that it must stand before.
        role: As what it is used.
        relation: Where the relation stands that it belongs to.
        position: That relation's place in the list.
        columns: True if it may use the relation's columns.
        windows: True if calls of window functions may stand here.
        lambdas: Names of a lambda's parameters.
        depth: How many expressions it is nested in, itself included.
        chain: The operator whose first operand it is, if that is associative.
    """

    user: str
    before: int
    role: Role
    relation: _RelationPlace
    position: int
    columns: bool
    windows: bool
    lambdas: _Names | None = None
    depth: int = 1
    chain: str = ""


class Walk:
    """Goes from the root to each node once.

    Attributes:
        deepest_relation: The node that is nested deepest among relations, and how deep.
        deepest_expression: The same among expressions.
    """

    def __init__(self, tree: plan_pb2.RelationTree) -> None:
        """Takes a tree of some relations, which may be broken in any way."""
        self._tree = tree
        self._relations = {each.common.node_id: i for i, each in enumerate(tree.relations)}
        self._expressions = {each.common.node_id: i for i, each in enumerate(tree.expressions)}
        self._seen_relations: set[int] = set()
        self._seen_expressions: set[int] = set()
        self._waiting: list[tuple[int, _RelationPlace]] = []
        self.deepest_relation = (0, "")
        self.deepest_expression = (0, "")

    def problems(self) -> Iterator[Problem]:
        """Walks; yields what stands where it may not, and what stands nowhere.

        The walk begins at the last relation, so that it goes on below a root that is not there.
        """
        tree = self._tree
        root_id = tree.relations[-1].common.node_id
        self._waiting = [(root_id, _RelationPlace("", len(tree.relations)))]
        while self._waiting:
            yield from self._relation(*self._waiting.pop())
        for i, relation in enumerate(tree.relations):
            if i not in self._seen_relations:
                name = relation_name(relation.common.node_id)
                yield Problem(name, "a relation is used below the root: this one is not")
        for i, expression in enumerate(tree.expressions):
            if i not in self._seen_expressions:
                name = expression_name(expression.common.node_id)
                yield Problem(name, "an expression is used below the root: this one is not")

    def _relation(self, relation_id: int, place: _RelationPlace) -> Iterator[Problem]:
        index = self._relations.get(relation_id)
        if index is None:
            yield Problem(place.user, _dangling(relation_id, "relation"))
            return
        if index >= place.before:
            yield Problem(place.user, f"inputs stand before their users: {relation_id} does not")
        if index in self._seen_relations:
            yield Problem(relation_name(relation_id), "a relation is used once: got another use")
            return
        self._seen_relations.add(index)
        relation = self._tree.relations[index]
        name = relation_name(relation_id)
        if place.depth > self.deepest_relation[0]:
            self.deepest_relation = place.depth, name
        yield from self._inputs(relation, index, place)
        waiting = [
            (
                expression_id,
                _Place(
                    user=name,
                    before=len(self._tree.expressions),
                    role=role,
                    relation=place,
                    position=index,
                    columns=role is not Role.CONSTANT,
                    windows=role.may_have_windows,
                    depth=place.expressions + 1,
                ),
            )
            for expression_id, role in relation_uses(relation)
        ]
        while waiting:
            yield from self._expression(*waiting.pop(), waiting)

    def _inputs(
        self, relation: plan_pb2.Relation, index: int, place: _RelationPlace
    ) -> Iterator[Problem]:
        kind = relation.WhichOneof("kind")
        name = relation_name(relation.common.node_id)
        inner = replace(place, user=name, before=index, depth=place.depth + 1)
        named = _names(relation.with_names.names, place.ctes)
        if kind == "read_cte":
            cte = relation.read_cte.name
            if cte and not (place.ctes and place.ctes.has(cte)):
                yield Problem(name, f"read_cte names a relation round it: got {cte[:100]!r}")
        for number, input_id in enumerate(relation.common.input_ids):
            below = inner
            if kind == "with_names":
                below = replace(inner, ctes=replace(named, before=number))
            elif kind == "recursive" and number == 1:
                own = _names([relation.recursive.name], place.ctes)
                below = replace(inner, ctes=own)
            elif kind == "join" and relation.join.is_lateral and number == 1:
                below = replace(inner, levels=place.levels + 1)
            self._waiting.append((input_id, below))

    def _expression(
        self, expression_id: int, place: _Place, waiting: list[tuple[int, _Place]]
    ) -> Iterator[Problem]:
        index = self._expressions.get(expression_id)
        if index is None:
            yield Problem(place.user, _dangling(expression_id, "expression"))
            return
        if index >= place.before:
            text = f"operands stand before their users: {expression_id} does not"
            yield Problem(place.user, text)
        name = expression_name(expression_id)
        if index in self._seen_expressions:
            yield Problem(name, "an expression is used once: got another use")
            return
        self._seen_expressions.add(index)
        if place.depth > self.deepest_expression[0]:
            self.deepest_expression = place.depth, name
        expression = self._tree.expressions[index]
        for text in _misplaced(expression, place):
            yield Problem(name, text)
        inner = _below(expression, replace(place, user=name, before=index, depth=place.depth + 1))
        for number, operand_id in enumerate(expression.common.operand_ids):
            waiting.append((operand_id, _operand(expression, inner, place, number)))
        if expression.WhichOneof("kind") == "call":
            for each, role in call_uses(expression.call):
                waiting.append((each, replace(inner, role=role, windows=False)))
        relation_id = subquery_of(expression)
        if relation_id is not None:
            round_it = place.relation
            subquery = _RelationPlace(
                user=name,
                before=place.position,
                depth=round_it.depth + 1,
                levels=round_it.levels + 1,
                ctes=round_it.ctes,
                expressions=place.depth,
            )
            self._waiting.append((relation_id, subquery))


def _dangling(node_id: int, sort: str) -> str:
    if node_id == 0:
        return missing(f"the id of {'an' if sort == 'expression' else 'a'} {sort}")
    return f"ids name {sort}s of the plan: got {node_id}"


def _below(expression: plan_pb2.Expression, place: _Place) -> _Place:
    """Returns where the operands of an expression stand."""
    match expression.WhichOneof("kind"):
        case "alias":
            return place
        case "sort_key":
            return replace(place, role=Role.VALUE)
        case "call" if expression.call.function_kind in {_AGGREGATE, _WINDOW}:
            return replace(place, role=Role.VALUE, windows=False)
        case "lambda_function":
            own = _names(expression.lambda_function.parameters, place.lambdas)
            return replace(place, role=Role.VALUE, lambdas=own)
    role = Role.CONSTANT if place.role is Role.CONSTANT else Role.VALUE
    return replace(place, role=role)


def _operand(expression: plan_pb2.Expression, inner: _Place, place: _Place, number: int) -> _Place:
    """Returns where one operand stands; the first one of a chain is as deep as the chain."""
    call = expression.call
    operands = len(expression.common.operand_ids)
    if call.function_kind == functions_pb2.FUNCTION_KIND_SCALAR and number == 0:
        operator = operator_of(call.function_name, operands)
        if operator and operator.is_associative and operands > 1:
            depth = place.depth if place.chain == call.function_name else place.depth + 1
            return replace(inner, chain=call.function_name, depth=depth)
    return replace(inner, chain="")


def _misplaced(expression: plan_pb2.Expression, place: _Place) -> Iterator[str]:
    kind = expression.WhichOneof("kind")
    role = place.role
    if (kind == "sort_key") != (role is Role.SORT_KEY):
        yield "sort keys stand where sort keys are asked for, and nothing else does"
        return
    match kind:
        case "alias" if not role.may_be_named:
            yield f"an alias stands where an expression becomes a column: got one as {role.value}"
        case "star" if role is not Role.ITEM:
            yield f"a star is an item of a projection: got one as {role.value}"
        case "column" if not place.columns:
            yield f"{role.value} refers to no column: got one"
        case "outer_column":
            levels = expression.outer_column.levels or 1
            if levels > place.relation.levels:
                found = number_of(place.relation.levels, "level")
                yield f"an outer column is of a query round it, at most {found} up: got {levels}"
        case "lambda_variable":
            name = expression.lambda_variable.name
            if not (place.lambdas and place.lambdas.has(name)):
                yield f"a lambda variable is one of a lambda round it: got {name[:100]!r}"
        case "call":
            yield from _misplaced_call(expression.call, place)
    if role in {Role.AGGREGATE, Role.WINDOW} and kind not in {"call", "alias", None}:
        yield f"{role.value} is a call or its alias: got {kind}"
    if role is Role.OFFSET and kind not in {"literal", None}:
        yield f"the offset of a frame is a literal: got {kind}"


def _misplaced_call(call: functions_pb2.CallExpression, place: _Place) -> Iterator[str]:
    name = call.function_name[:100]
    is_aggregate = call.function_kind == _AGGREGATE
    if is_aggregate != (place.role is Role.AGGREGATE):
        if is_aggregate:
            yield f"aggregates stand in an aggregate relation: got {name} as {place.role.value}"
        else:
            yield f"an aggregate is a call of an aggregate function: got {name}"
        return
    is_window = call.function_kind == _WINDOW
    if place.role is Role.WINDOW and not is_window:
        yield f"a window relation has calls of functions with a window: got {name}"
    if is_window and not (place.windows or place.role is Role.WINDOW):
        yield f"window functions stand in windows and projections: got {name} elsewhere"
