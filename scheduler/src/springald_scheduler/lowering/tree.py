"""A plan as it is looked up while it is lowered."""

from springald.plan.v1 import functions_pb2, plan_pb2
from springald.plans.operators import operator_of
from springald.plans.uses import call_uses, relation_uses, subquery_of


def _is_link(node: plan_pb2.Expression, name: str) -> bool:
    """True for a call of an associative operator of this name."""
    call = node.call
    if call.function_name != name or call.function_kind != functions_pb2.FUNCTION_KIND_SCALAR:
        return False
    operands = len(node.common.operand_ids)
    operator = operator_of(name, operands)
    return operator is not None and operator.is_associative and operands > 1


class Tree:
    """The relations and expressions of a plan by id, and which of them use what is round them.

    Attributes:
        plan: The plan.
    """

    def __init__(self, tree: plan_pb2.RelationTree) -> None:
        """Takes a tree that was checked."""
        self.plan = tree
        self._relations = {each.common.node_id: each for each in tree.relations}
        self._expressions = {each.common.node_id: each for each in tree.expressions}
        self._reach: dict[int, int] = {}
        for relation in tree.relations:
            self._reach[relation.common.node_id] = self._reach_of(relation)

    def relation(self, relation_id: int) -> plan_pb2.Relation:
        """Returns a relation."""
        return self._relations[relation_id]

    def expression(self, expression_id: int) -> plan_pb2.Expression:
        """Returns an expression."""
        return self._expressions[expression_id]

    def is_correlated(self, relation_id: int) -> bool:
        """True if a relation uses columns of a query round it."""
        return self._reach[relation_id] > 0

    def nodes_below(self, expression_id: int) -> list[plan_pb2.Expression]:
        """Returns an expression and all it computes with, without subqueries."""
        found, waiting = [], [expression_id]
        while waiting:
            expression = self._expressions[waiting.pop()]
            found.append(expression)
            waiting.extend(expression.common.operand_ids)
            if expression.WhichOneof("kind") == "call":
                waiting.extend(each for each, _ in call_uses(expression.call))
        return found

    def chain_of(self, expression: plan_pb2.Expression) -> list[int]:
        """Returns what a chain of one associative operator holds together, from left to right.

        Empty for anything else.
        """
        name = expression.call.function_name
        operands: list[int] = []
        node = expression
        while _is_link(node, name):
            first, *rest = node.common.operand_ids
            operands.extend(reversed(rest))
            node = self._expressions[first]
        if node is expression:
            return []
        operands.append(node.common.node_id)
        return operands[::-1]

    def _reach_of(self, relation: plan_pb2.Relation) -> int:
        """Returns how many queries further out a relation looks; inputs stand before it."""
        reach = 0
        inputs = relation.common.input_ids
        is_lateral = relation.WhichOneof("kind") == "join" and relation.join.is_lateral
        for number, input_id in enumerate(inputs):
            inner = self._reach[input_id]
            reach = max(reach, inner - 1 if is_lateral and number == 1 else inner)
        for expression_id, _ in relation_uses(relation):
            for expression in self.nodes_below(expression_id):
                if expression.WhichOneof("kind") == "outer_column":
                    reach = max(reach, expression.outer_column.levels or 1)
                subquery = subquery_of(expression)
                if subquery is not None:
                    reach = max(reach, self._reach[subquery] - 1)
        return reach
