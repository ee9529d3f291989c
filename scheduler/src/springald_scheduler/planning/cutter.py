"""Cuts an engine plan into stages.

A plan is cut where rows change their partition: at hash repartitions, at merges of all partitions,
and at merges that keep an order. What is below becomes a stage; above, a leaf reads its output. The
rules for joins that put out rows of their build side, for scalar subqueries and for orderings that
a cut forgets are those measured in `docs/architecture/planner.md`; a plan that no rule covers is
not cut at all.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import pyarrow as pa
from datafusion import SessionContext
from datafusion.plan import ExecutionPlan

from springald.datafusion.v55 import plan_view_pb2 as pb
from springald.engine import plan_view as pv
from springald.engine.fragment import exchange_input, exchange_path
from springald.engine.modes import EMITS_BUILD_SIDE, AggregateMode, JoinMode
from springald.engine.plan_view import PlanNode
from springald.engine.reading import read_offsets
from springald.engine.schemas import (
    SchemaEncoder,
    arrow_leaf,
    converted,
    output_schema,
)
from springald.engine.slicing import partition_count
from springald.errors import UnsupportedError
from springald.limits import FRAGMENT_DEPTH_MAX
from springald.results import plain_schema
from springald_scheduler.core.graph import Exchange, ExchangeKind, StageInput
from springald_scheduler.planning.aggregates import in_one_step
from springald_scheduler.planning.copartitioned import HashedReads
from springald_scheduler.planning.drafts import CutRules, StageDraft
from springald_scheduler.planning.orderings import complete_orderings, read_sort_keys, sort_windows
from springald_scheduler.planning.volatile import may_vary

_DEPTH_COMFORTABLE: Final = FRAGMENT_DEPTH_MAX * 2 // 3
_NEEDS_SCOPE: Final = "ScalarSubqueryExpr can only be deserialized"
_NEEDS_ORDER: Final = ("should have an ordering", "expression to be ordered")
_ONE_PARTITION_AGGREGATES: Final = frozenset({AggregateMode.FINAL, AggregateMode.SINGLE})
_FINAL_AGGREGATES: Final = frozenset({AggregateMode.FINAL, AggregateMode.FINAL_PARTITIONED})
_PARQUET_MAP_ENTRIES: Final = b"key_value"
_INLINED: Final = "the last step of an aggregate of one row is done by each task that reads it"
_COMPUTED_ONCE: Final = "computed once for all who read it: equal stages are one"
_ROW_WISE: Final = frozenset({"filter", "projection", "coalesce_batches", "cooperative"})
_CHEAP: Final = _ROW_WISE | pv.LEAF_KINDS


@dataclass(slots=True)
class _Scope:
    """The scalar subqueries whose values the plan around may use: what reads or makes each."""

    values: list[PlanNode] = field(default_factory=list)


class Cutter:
    """Cuts one plan.

    Attributes:
        stages: The stages so far.
        decisions: What was decided about the cut, for people.
    """

    def __init__(
        self,
        context: SessionContext,
        encoder: SchemaEncoder,
        partitions: int,
        rules: CutRules,
        *,
        may_forward: bool = True,
    ) -> None:
        """Takes the session in which the plan was made, its number of partitions, and rules.

        `may_forward` is False for a plan with an aggregate that puts rows out in order because they
        come in order. What is read from a stage is in order too, but the engine does not know it,
        and an aggregate that is not told puts rows out in any order.
        """
        self._context = context
        self._may_forward = may_forward
        self._encoder = encoder
        self._partitions = partitions
        self._rules = rules
        self._scopes: list[_Scope] = [_Scope()]
        self._hashed = HashedReads()
        self._alike: dict[object, StageDraft] = {}
        self.stages: list[StageDraft] = []
        self.decisions: list[str] = []

    def cut(self, root: PlanNode) -> list[StageDraft]:
        """Returns the stages; the last one makes the result.

        Raises:
            UnsupportedError: The plan has a part that no rule covers.
            Exception: The engine refuses a fragment.
        """
        if root.kind == "merge" and not root.body.HasField("fetch"):
            root = root.children[0]
        body = self._transform(root)
        self._finish(body, Exchange(ExchangeKind.RESULT, partition_count(body)))
        return self.stages

    def whole(self, root: PlanNode) -> list[StageDraft]:
        """Returns the plan as a single stage that runs as one task.

        Raises:
            UnsupportedError: It ends in a repartition, which would be taken for an exchange.
            Exception: The engine refuses it.
        """
        if any(node.kind == "repartition" for node in (root, *root.children)):
            raise UnsupportedError("a repartition at the end of a plan is an exchange")
        exchange = Exchange(ExchangeKind.RESULT, partition_count(root))
        self._finish(root, exchange, single_task_reason="the plan is not cut")
        return self.stages

    # The way down: one rule a kind of operator.

    def _transform(self, node: PlanNode) -> PlanNode:
        cut = self._cut_at(node)
        if cut.depth() <= _DEPTH_COMFORTABLE:
            return cut
        if not self._may_forward:
            message = "a deep plan is cut where no aggregate relies on the order of its rows"
            raise UnsupportedError(f"{message}; the query runs as one task instead")
        forward = Exchange(ExchangeKind.FORWARD, partition_count(cut))
        return self._leaf(self._finish(cut, forward))

    def _cut_at(self, node: PlanNode) -> PlanNode:
        match node.kind:
            case "repartition":
                return self._cut_repartition(node)
            case "merge":
                return self._cut_merge(node, ExchangeKind.SINGLE)
            case "sort_preserving_merge":
                return self._cut_sorted_merge(node)
            case "hash_join":
                return self._cut_hash_join(node)
            case "nested_loop_join" | "cross_join":
                left, right = node.children
                probe = self._transform(right)
                build = self._build_side(left, probe)
                return self._checked(PlanNode(node.kind, node.body, [build, probe]))
            case "scalar_subquery":
                return self._cut_scalar_subquery(node)
            case "union":
                return self._same_names([self._transform(child) for child in node.children], node)
            case "analyze":
                raise UnsupportedError("figures of a whole plan are taken in one task")
        children = [self._transform(child) for child in node.children]
        whole = PlanNode(node.kind, node.body, children)
        if self._rules.one_step and node.kind == "aggregate":
            whole = in_one_step(node, children[0])
        return self._checked(whole)

    def _cut_repartition(self, node: PlanNode) -> PlanNode:
        spread = node.body.partitioning
        method = spread.WhichOneof("method")
        if method == "round_robin":
            return self._transform(node.children[0])
        if method != "hash":
            message = f"a plan is cut at hash repartitions: got {method}"
            raise UnsupportedError(f"{message}; the query runs as one task instead")
        order = self._kept_order(node) if node.body.preserve_order else []
        child = self._transform(node.children[0])
        keys, partitions = spread.hash.hash_expr, spread.hash.partition_count
        if self._rules.spare_exchanges and self._hashed.lie_by(child, keys, partitions):
            self.decisions.append(f"rows lie by {_names(keys)} already: an exchange is spared")
            leaf = child
        else:
            leaf = self._hash_exchange(child, keys, partitions)
        if not order:
            return leaf
        body = pb.SortExecNode(expr=order, fetch=-1, preserve_partitioning=True)
        return PlanNode("sort", body, [leaf])

    def _kept_order(self, node: PlanNode) -> list[bytes]:
        """Returns the order that a repartition keeps, which its message does not say.

        An exchange keeps none, so rows are sorted again behind it.
        """
        plan = ExecutionPlan.from_bytes(self._context, pv.serialize(node))
        return read_sort_keys(plan.display_indent().partition("\n")[0])

    def _hash_exchange(self, child: PlanNode, keys: Sequence[bytes], partitions: int) -> PlanNode:
        exchange = Exchange(ExchangeKind.HASH, partitions)
        leaf = self._leaf(self._finish(child, exchange, keys=keys))
        self._hashed.add(leaf, keys, partitions)
        return leaf

    def _cut_merge(self, node: PlanNode, kind: ExchangeKind) -> PlanNode:
        child = self._transform(node.children[0])
        has_fetch = node.body.HasField("fetch")
        if partition_count(child) > 1:
            if has_fetch:
                child = _limited(child, node.body.fetch)
            child = self._leaf(self._finish(child, Exchange(kind, 1)))
        return PlanNode(node.kind, node.body, [child]) if has_fetch else child

    def _cut_sorted_merge(self, node: PlanNode) -> PlanNode:
        child = self._transform(node.children[0])
        runs = partition_count(child)
        if runs > 1:
            child = self._leaf(self._finish(child, Exchange(ExchangeKind.SORTED, runs)))
        return PlanNode(node.kind, node.body, [child])

    def _cut_hash_join(self, node: PlanNode) -> PlanNode:
        left, right = node.children
        body = node.body
        if body.partition_mode != JoinMode.COLLECT_LEFT:
            children = [self._transform(left), self._transform(right)]
            return self._checked(PlanNode(node.kind, body, children))
        probe = self._transform(right)
        emits = body.join_type in EMITS_BUILD_SIDE
        if emits and not body.null_aware and partition_count(probe) > 1:
            return self._partitioned_join(node, probe)
        return PlanNode(node.kind, body, [self._build_side(left, probe), probe])

    def _partitioned_join(self, node: PlanNode, probe: PlanNode) -> PlanNode:
        """Shuffles both sides of a join that broadcast its build side, and puts out rows of it.

        Which build rows found a partner is known only inside one process, so several tasks would
        each put out what they did not find.
        """
        left = node.children[0]
        if left.kind == "merge" and not left.body.HasField("fetch"):
            left = left.children[0]
        build = self._transform(left)
        body = pb.HashJoinExecNode()
        body.CopyFrom(node.body)
        body.partition_mode = JoinMode.PARTITIONED
        sides = (
            self._hash_exchange(build, [pair.left for pair in body.on], self._partitions),
            self._hash_exchange(probe, [pair.right for pair in body.on], self._partitions),
        )
        return PlanNode(node.kind, body, list(sides))

    def _build_side(self, left: PlanNode, probe: PlanNode) -> PlanNode:
        """Returns the side that every task reads whole, computed once unless that is cheap."""
        if left.kind == "merge":
            return self._cut_merge(left, ExchangeKind.BROADCAST)
        build = self._transform(left)
        alone = partition_count(probe) == 1 or self._is_cheap(build)
        if alone or partition_count(build) != 1:
            return build
        return self._leaf(self._finish(build, Exchange(ExchangeKind.BROADCAST, 1)))

    def _is_cheap(self, body: PlanNode) -> bool:
        """True if each task may as well compute what it reads whole, and gets the same rows."""
        if may_vary(pv.serialize(body)):
            return False
        if all(each.kind in _CHEAP for each in body.walk()):
            return True
        inlined = self._is_last_step(body)
        if inlined:
            self.decisions.append(_INLINED)
        return inlined

    def _is_last_step(self, body: PlanNode) -> bool:
        """True for the last step of an aggregate without groups over a row of each partition.

        The row must be short: the state of a median, say, is all values that it has seen.
        """
        while body.kind in _ROW_WISE:
            body = body.children[0]
        if not self._rules.inline_values or body.kind != "aggregate" or body.body.group_expr:
            return False
        return body.body.mode == AggregateMode.FINAL and all(
            each.kind in _ROW_WISE or self._reads_short_rows(each)
            for each in body.children[0].walk()
        )

    def _reads_short_rows(self, leaf: PlanNode) -> bool:
        """True for a read of a stage whose columns all have types of a fixed width."""
        number = _stage_read(leaf)
        types = self.stages[number - 1].schema.types if number else []
        return number is not None and all(_has_fixed_width(each) for each in types)

    def _cut_scalar_subquery(self, node: PlanNode) -> PlanNode:
        plan, *subqueries = node.children
        scope = _Scope()
        for subquery in subqueries:
            self._scopes.append(_Scope())
            scope.values.append(self._value(self._transform(subquery)))
            self._scopes.pop()
        self._scopes.append(scope)
        body = self._scoped(self._transform(plan))
        self._scopes.pop()
        return body

    def _value(self, value: PlanNode) -> PlanNode:
        """Returns what reads a scalar subquery's value, or computes it if that is cheap.

        A whole number is always read, because only a read of one is given a value while the types
        of a fragment are found out.
        """
        if self._is_last_step(value) and not may_vary(pv.serialize(value)):
            complete, schema = self._completed(value)
            if not any(pa.types.is_integer(field.type) for field in schema):
                self.decisions.append(_INLINED)
                return complete
        return self._leaf(self._finish(value, Exchange(ExchangeKind.BROADCAST, 1)))

    def _same_names(self, children: list[PlanNode], node: PlanNode) -> PlanNode:
        """Gives all branches of a union the first one's names, so that any may be left out."""
        schemas = [self._completed(child)[1] for child in children]
        first = schemas[0]
        children = [
            child if schema.names == first.names else renamed(child, schema.names, first.names)
            for child, schema in zip(children, schemas, strict=True)
        ]
        return PlanNode(node.kind, node.body, children)

    def _checked(self, node: PlanNode) -> PlanNode:
        """Refuses an operator that wants a single partition and does not get one."""
        kind, body = node.kind, node.body
        wants_one = (
            kind == "global_limit"
            or (kind == "aggregate" and body.mode in _ONE_PARTITION_AGGREGATES)
            or (kind == "sort" and not body.preserve_partitioning)
            or (kind == "window" and not body.partition_keys)
        )
        if wants_one and partition_count(node.children[0]) != 1:
            message = f"{kind} reads a single partition: got several"
            raise UnsupportedError(f"{message}; the query runs as one task instead")
        if kind == "aggregate" and body.mode in _FINAL_AGGREGATES and self._renames_entries(node):
            message = "an aggregate knows its rows again after an exchange: got a map's entry name"
            raise UnsupportedError(f"{message} that Arrow files lose; the query runs as one task")
        partition_count(node)
        return node

    def _renames_entries(self, aggregate: PlanNode) -> bool:
        """True if an aggregate's rows have maps whose entries are named as Parquet does.

        Its schema is part of its message. Through an exchange they come as Arrow's own `entries`,
        and the engine takes that for another type.
        """
        if _PARQUET_MAP_ENTRIES not in aggregate.body.SerializeToString():
            return False
        rows = output_schema(self._context, self._scoped(aggregate.children[0]))
        return any("map<" in str(field.type) for field in rows)

    # The end of a stage.

    def _finish(
        self,
        body: PlanNode,
        output: Exchange,
        *,
        keys: Sequence[bytes] = (),
        single_task_reason: str = "",
    ) -> StageDraft:
        body, rows_schema = self._completed(body)
        schema = plain_schema(rows_schema)
        root = pv.hash_repartition(body, keys, output.partition_count) if keys else body
        root = converted(root, rows_schema, schema, self._encoder)
        if root.depth() > FRAGMENT_DEPTH_MAX:
            message = f"a fragment has at most {FRAGMENT_DEPTH_MAX} nested operators"
            raise UnsupportedError(f"{message}: got {root.depth()}; the query runs as one task")
        draft = StageDraft(
            stage_id=len(self.stages) + 1,
            root=root,
            inputs=self._number_inputs(root),
            output=output,
            partition_count=partition_count(body),
            schema=schema,
            rows_schema=rows_schema,
            single_task_reason=single_task_reason or _single_task_reason(body),
        )
        return self._registered(draft)

    def _registered(self, draft: StageDraft) -> StageDraft:
        """Adds a stage, or returns the one that does the same, so that a query asks for it once.

        What may vary is computed each time, as the engine does.
        """
        plan = pv.serialize(draft.root)
        alike = (plan, draft.inputs, draft.output, draft.single_task_reason)
        if alike in self._alike:
            shared = self._alike[alike]
            if _COMPUTED_ONCE not in shared.decisions:
                shared.decisions.append(_COMPUTED_ONCE)
            return shared
        if self._rules.share_stages and not may_vary(plan):
            self._alike[alike] = draft
        self.stages.append(draft)
        return draft

    def _completed(self, body: PlanNode) -> tuple[PlanNode, pa.Schema]:
        """Returns a fragment with what cuts took from it, and the schema of its rows."""
        complete_orderings(body)
        complete = self._scoped(body)
        try:
            return complete, output_schema(self._context, complete)
        except Exception as failure:
            if not any(reason in str(failure) for reason in _NEEDS_ORDER):
                raise
        sort_windows(body)
        complete = self._scoped(body)
        return complete, output_schema(self._context, complete)

    def _scoped(self, body: PlanNode) -> PlanNode:
        """Wraps a fragment that uses the values of scalar subqueries with what reads them."""
        values = self._scopes[-1].values
        if not values or body.kind == "scalar_subquery":
            return body
        failure = self._decodes(body)
        if failure is None or _NEEDS_SCOPE not in failure:
            return body
        node = PlanNode("scalar_subquery", pb.ScalarSubqueryExecNode())
        node.children = [body, *(_copied(value) for value in values)]
        return node

    def _decodes(self, body: PlanNode) -> str | None:
        """Returns why the engine refuses a fragment, or nothing if it does not."""
        try:
            ExecutionPlan.from_bytes(self._context, pv.serialize(body))
        except Exception as error:  # noqa: BLE001 - the engine raises bare exceptions
            return str(error)
        return None

    def _number_inputs(self, root: PlanNode) -> tuple[StageInput, ...]:
        """Numbers the stages that a fragment reads and writes the numbers into its markers."""
        inputs: list[StageInput] = []
        offsets = read_offsets(root)
        for scan in (node for node in root.walk() if node.kind == "arrow_scan"):
            conf = pv.scan_conf(scan)
            read = [exchange_input(file.path) for g in conf.file_groups for file in g.files]
            if not read or read[0] is None:
                continue
            producer = self.stages[read[0] - 1]
            for partition, group in enumerate(conf.file_groups):
                group.files[0].path = exchange_path(len(inputs), partition)
            scan.body = pb.FileScanNode(base_conf=conf.SerializeToString())
            output = producer.output
            count, offset = output.partition_count, offsets[id(scan)]
            inputs.append(StageInput(producer.stage_id, output.kind, count, offset))
        return tuple(inputs)

    def _leaf(self, stage: StageDraft) -> PlanNode:
        """Returns what reads a stage's output; its markers carry the stage's id until numbered."""
        groups = [
            [exchange_path(stage.stage_id, partition)]
            for partition in range(stage.output.partition_count)
        ]
        leaf = arrow_leaf(self._encoder.encode(stage.schema), groups)
        return converted(leaf, stage.schema, stage.rows_schema, self._encoder)


def _stage_read(leaf: PlanNode) -> int | None:
    """Returns the stage whose output a leaf reads, while its markers are not numbered yet."""
    if leaf.kind != "arrow_scan":
        return None
    files = [file for group in pv.scan_conf(leaf).file_groups for file in group.files]
    return exchange_input(files[0].path) if files else None


def _has_fixed_width(kind: pa.DataType) -> bool:
    fixed = (pa.types.is_primitive, pa.types.is_decimal, pa.types.is_null)
    return any(is_one(kind) for is_one in fixed)


def _single_task_reason(body: PlanNode) -> str:
    """Returns why a fragment's partitions must run in one process, or an empty string."""
    for node in body.walk():
        if node.kind not in {"hash_join", "nested_loop_join"}:
            continue
        if node.kind == "hash_join" and node.body.partition_mode != JoinMode.COLLECT_LEFT:
            continue
        null_aware = node.kind == "hash_join" and node.body.null_aware
        emits = node.body.join_type in EMITS_BUILD_SIDE
        if (null_aware or emits) and partition_count(node.children[1]) > 1:
            return "a join puts out rows of the side that all its partitions share"
    return ""


def _names(keys: Sequence[bytes]) -> str:
    columns = (pb.PhysicalExprNode.FromString(key).column.name for key in keys)
    return ", ".join(columns)


def _limited(child: PlanNode, fetch: int) -> PlanNode:
    return PlanNode("local_limit", pb.LocalLimitExecNode(fetch=fetch), [child])


def renamed(child: PlanNode, names: Sequence[str], wanted: Sequence[str]) -> PlanNode:
    """Returns an operator whose columns have other names."""
    columns = [pv.column(name, index) for index, name in enumerate(names)]
    return PlanNode("projection", pb.ProjectionExecNode(expr=columns, expr_name=wanted), [child])


def _copied(value: PlanNode) -> PlanNode:
    """Returns an independent copy, because numbering inputs writes into leaves."""
    return pv.parse(pv.serialize(value))
