"""All that DataFusion 55 plans has a place in a plan, or a reason why it has none."""

import importlib.util
from pathlib import Path
from types import ModuleType

import datafusion.expr
import plan_expressions as expressions
import plan_kit as k
import plan_relations as relations
from google.protobuf.descriptor import Descriptor

from springald.plan.v1 import plan_pb2


def kinds_of(message: Descriptor) -> set[str]:
    """Returns the names of the kinds of a node."""
    return {field.name for field in message.oneofs_by_name["kind"].fields}


RELATION_KINDS = kinds_of(plan_pb2.Relation.DESCRIPTOR)
EXPRESSION_KINDS = kinds_of(plan_pb2.Expression.DESCRIPTOR)
COMMANDS = Path(__file__).with_name("test_plan_commands.py")

LOGICAL_PLANS: dict[str, set[str]] = {
    "Projection": {"projection", "with_columns", "drop_columns", "rename_columns"},
    "Filter": {"filter", "sample"},
    "Window": {"window"},
    "Aggregate": {"aggregate"},
    "Sort": {"sort"},
    "Join": {"join"},
    "Repartition": {"repartition"},
    "Union": {"set_operation"},
    "TableScan": {"read_named_table", "read_files", "inline_table", "table_function", "series"},
    "EmptyRelation": {"values"},
    "Subquery": {"join", "filter"},
    "SubqueryAlias": {"subquery_alias", "with_names", "read_cte"},
    "Limit": {"fetch"},
    "Values": {"values"},
    "Explain": {"explain"},
    "Analyze": {"explain"},
    "Distinct": {"distinct"},
    "Dml": {"insert"},
    "Ddl": {"create_external_table", "create_view", "create_table_as", "drop"},
    "Copy": {"copy_to"},
    "DescribeTable": {"describe"},
    "Unnest": {"unnest"},
    "RecursiveQuery": {"recursive", "read_cte"},
    "Statement": {"set_setting", "reset_setting", "show"},
    "Extension": set(),
}
"""The engine's kinds of logical plans, each with the kinds of relations that say it."""

EXPRESSIONS: dict[str, set[str]] = {
    "Alias": {"alias"},
    "Column": {"column"},
    "Literal": {"literal"},
    "BinaryExpr": {"call"},
    "Like": {"like"},
    "SimilarTo": {"like"},
    "Not": {"call"},
    "IsNotNull": {"call"},
    "IsNull": {"call"},
    "IsTrue": {"call"},
    "IsFalse": {"call"},
    "IsUnknown": {"call"},
    "IsNotTrue": {"call"},
    "IsNotFalse": {"call"},
    "IsNotUnknown": {"call"},
    "Negative": {"call"},
    "Between": {"between"},
    "Case": {"case_when"},
    "Cast": {"cast"},
    "TryCast": {"cast"},
    "ScalarFunction": {"call", "access"},
    "AggregateFunction": {"call"},
    "WindowFunction": {"call"},
    "HigherOrderFunction": {"call"},
    "Lambda": {"lambda_function"},
    "LambdaVariable": {"lambda_variable"},
    "InList": {"in_list"},
    "Exists": {"exists"},
    "InSubquery": {"in_subquery"},
    "SetComparison": {"quantified_comparison"},
    "ScalarSubquery": {"scalar_subquery"},
    "Wildcard": {"star"},
    "Placeholder": {"parameter"},
    "OuterReferenceColumn": {"outer_column"},
    "SortExpr": {"sort_key"},
    "GroupingSet": {"aggregate"},
    "Unnest": {"unnest"},
    "ScalarVariable": set(),
}
"""The engine's kinds of expressions, each with the kinds of nodes that say it."""

REASONS: dict[str, str] = {
    "Extension": "an application's own operator: a session has none",
    "ScalarVariable": "@@name needs a provider, which a session cannot have",
    "Prepare": "a client keeps the plan itself, and sends values beside it",
    "Execute": "as Prepare",
    "Deallocate": "as Prepare",
    "TransactionStart": "there are no transactions",
    "TransactionEnd": "there are no transactions",
    "CreateCatalog": "a session has one catalog",
    "CreateCatalogSchema": "a session has one schema",
    "DropCatalogSchema": "a session has one schema",
    "CreateIndex": "the engine has no indexes of its own",
    "CreateFunction": "code of users is registered by calls of its own",
    "DropFunction": "as CreateFunction",
    "OperateFunctionArg": "as CreateFunction",
    "CreateFunctionBody": "as CreateFunction",
}
"""What has no kind of its own, and why. The list only shrinks."""

REASONS_MAX = 15

SAID_BY_ANOTHER = {
    # Python's classes for parts and statements of the engine, by the kind that is named above.
    "CreateExternalTable", "CreateMemoryTable", "CreateView", "DropTable", "DropView", "CopyTo",
    "DmlStatement", "SetVariable", "FileType", "JoinConstraint", "JoinType", "Partitioning",
    "UnnestExpr", "WindowExpr", "WindowFrame", "WindowFrameBound", "ILike", "CaseBuilder", "Expr",
    "TransactionAccessMode", "TransactionConclusion", "TransactionIsolationLevel", "SortKey",
}  # fmt: skip


def module(name: str) -> ModuleType:
    """Returns a module of tests beside this one."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


def kinds_in_tests() -> tuple[set[str], set[str]]:
    """Returns the kinds of relations and expressions that the tests of plans run."""
    others = module("test_plan_relations")
    plans = [
        *(plan for plan, _ in relations.RELATIONS.values()),
        *(plan for plan, _ in relations.ORDERED.values()),
        *(plan for plan, _ in others.UNNESTED.values()),
        *(k.project(source, plan) for source, plan, _ in expressions.EXPRESSIONS.values()),
        *(k.where(source, plan) for source, plan, _ in expressions.CONDITIONS.values()),
        *(plan for plan, _, _ in module("test_plan_commands").ERRORS.values()),
        k.files(others.FORMATS["rows.csv"]),
    ]
    found: tuple[set[str], set[str]] = (set(), set())
    for plan in plans:
        tree = k.message(plan).relations
        found[0].update(each.WhichOneof("kind") or "" for each in tree.relations)
        found[1].update(each.WhichOneof("kind") or "" for each in tree.expressions)
    return found


def test_every_kind_of_a_plan_is_run_by_a_test() -> None:
    """A kind without a test would be a promise: each relation and expression is run."""
    tested_relations, tested_expressions = kinds_in_tests()
    source = COMMANDS.read_text()
    in_commands = {
        kind for kind in RELATION_KINDS if f"command({kind}=" in source or f'"{kind}":' in source
    }
    in_commands |= {kind for kind in RELATION_KINDS if f", {kind}=" in source} | {"explain"}
    assert tested_relations | in_commands >= RELATION_KINDS
    assert tested_expressions >= EXPRESSION_KINDS - {"alias"}


def test_every_kind_of_the_engine_is_said_by_a_plan_or_has_a_reason() -> None:
    """The engine's lists are complete, point at kinds that there are, and reasons only shrink."""
    for name, kinds in LOGICAL_PLANS.items():
        assert kinds <= RELATION_KINDS, name
        assert kinds or name in REASONS, name
    for name, kinds in EXPRESSIONS.items():
        assert kinds <= EXPRESSION_KINDS | RELATION_KINDS, name
        assert kinds or name in REASONS, name
    assert len(REASONS) <= REASONS_MAX


def test_every_kind_that_the_engine_shows_to_python_is_listed() -> None:
    """A new version of the engine with a new kind fails here, and not in a query."""
    shown = {name for name in datafusion.expr.__all__ if name[0].isupper() and not name.isupper()}
    listed = LOGICAL_PLANS.keys() | EXPRESSIONS.keys() | REASONS.keys() | SAID_BY_ANOTHER
    assert shown - listed == set()
