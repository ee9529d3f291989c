"""Writes plans for tests in a few words: expressions and relations as small trees of Python.

An expression is a function from a `Plan` to the id that it got, so that a tree of calls builds
operands before their users, and each use makes nodes of its own.
"""

# ruff: noqa: D102, D103, ANN401 - names say it, and what a proto takes is said there

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import pyarrow as pa

from springald.plan.v1 import (
    commands_pb2,
    expressions_pb2,
    functions_pb2,
    names_pb2,
    plan_pb2,
    relations_pb2,
    sources_pb2,
)
from springald.types import data_type_to_proto, scalar_to_proto, schema_to_proto

Ex: TypeAlias = Callable[["Plan"], int]
Rel: TypeAlias = Callable[["Plan"], int]
Given: TypeAlias = Ex | str | float | pa.Scalar | None


class Plan:
    """A plan that grows."""

    def __init__(self) -> None:
        self.tree = plan_pb2.RelationTree()

    def relation(self, inputs: Sequence[Rel], **kind: Any) -> int:
        ids = [each(self) for each in inputs]
        return self.relation_over(ids, **kind)

    def relation_over(self, ids: Sequence[int], **kind: Any) -> int:
        node_id = len(self.tree.relations) + 1
        common = plan_pb2.RelationCommon(node_id=node_id, input_ids=ids)
        self.tree.relations.add(common=common, **kind)
        return node_id

    def expression(self, operands: Sequence[Ex], **kind: Any) -> int:
        ids = [each(self) for each in operands]
        node_id = len(self.tree.expressions) + 1
        common = plan_pb2.ExpressionCommon(node_id=node_id, operand_ids=ids)
        self.tree.expressions.add(common=common, **kind)
        return node_id

    def ids(self, expressions: Sequence[Given]) -> list[int]:
        return [ex(each)(self) for each in expressions]


def plan(root: Rel, *positional: pa.Scalar, **named: pa.Scalar) -> bytes:
    """Returns a plan as a client sends it, with values of its parameters."""
    return message(root, *positional, **named).SerializeToString()


def message(root: Rel, *positional: pa.Scalar, **named: pa.Scalar) -> plan_pb2.Plan:
    made = Plan()
    made.tree.root_id = root(made)
    made.tree.positional_parameters.extend(scalar_to_proto(each) for each in positional)
    for name, value in named.items():
        made.tree.named_parameters.add(name=name, value=scalar_to_proto(value))
    version = plan_pb2.PlanVersion(major=1, minor=1, producer="test")
    return plan_pb2.Plan(version=version, relations=made.tree)


# Expressions.


def ex(value: Given) -> Ex:
    """Returns an expression: a string names a column, other values of Python are literals."""
    if isinstance(value, str):
        return col(value)
    return value if callable(value) else lit(value)


def col(name: str, qualifier: str | None = None) -> Ex:
    named = names_pb2.ColumnName(name=name, qualifier=qualifier)
    return lambda p: p.expression([], column=expressions_pb2.ColumnExpression(name=named))


def at(position: int) -> Ex:
    column = expressions_pb2.ColumnExpression(position=position)
    return lambda p: p.expression([], column=column)


def outer(name: str, qualifier: str | None = None, levels: int = 0) -> Ex:
    named = names_pb2.ColumnName(name=name, qualifier=qualifier)
    column = expressions_pb2.OuterColumnExpression(name=named, levels=levels)
    return lambda p: p.expression([], outer_column=column)


def lit(value: Any, data_type: pa.DataType | None = None) -> Ex:
    scalar = value if isinstance(value, pa.Scalar) else pa.scalar(value, data_type)
    literal = expressions_pb2.LiteralExpression(value=scalar_to_proto(scalar))
    return lambda p: p.expression([], literal=literal)


def param(reference: int | str, data_type: pa.DataType | None = None) -> Ex:
    parameter = expressions_pb2.ParameterExpression()
    if isinstance(reference, int):
        parameter.position = reference
    else:
        parameter.name = reference
    if data_type is not None:
        parameter.type.CopyFrom(data_type_to_proto(data_type))
    return lambda p: p.expression([], parameter=parameter)


def star(qualifier: str | None = None, *, besides: Sequence[str] = ()) -> Ex:
    body = expressions_pb2.StarExpression(qualifier=qualifier, except_names=besides)
    return lambda p: p.expression([], star=body)


def call(name: str, *arguments: Given) -> Ex:
    body = functions_pb2.CallExpression(
        function_name=name, function_kind=functions_pb2.FUNCTION_KIND_SCALAR
    )
    return lambda p: p.expression([ex(each) for each in arguments], call=body)


def agg(
    name: str,
    *arguments: Given,
    distinct: bool = False,
    where: Given = None,
    order: Sequence[Ex] = (),
    within: Sequence[Ex] = (),
    ignore_nulls: bool = False,
) -> Ex:
    def build(p: Plan) -> int:
        operands = [ex(each) for each in arguments]
        body = functions_pb2.CallExpression(
            function_name=name,
            function_kind=functions_pb2.FUNCTION_KIND_AGGREGATE,
            distinct=distinct,
            filter_id=None if where is None else ex(where)(p),
            sort_key_ids=p.ids(order),
            within_group_key_ids=p.ids(within),
        )
        if ignore_nulls:
            body.null_treatment = functions_pb2.NULL_TREATMENT_IGNORE
        return p.expression(operands, call=body)

    return build


def over(
    name: str,
    *arguments: Given,
    by: Sequence[Given] = (),
    order: Sequence[Ex] = (),
    frame: Callable[[Plan], functions_pb2.WindowFrame] | None = None,
    where: Given = None,
    distinct: bool = False,
    ignore_nulls: bool = False,
) -> Ex:
    def build(p: Plan) -> int:
        operands = [ex(each) for each in arguments]
        window = functions_pb2.Window(partition_ids=p.ids(by), sort_key_ids=p.ids(order))
        if frame:
            window.frame.CopyFrom(frame(p))
        body = functions_pb2.CallExpression(
            function_name=name,
            function_kind=functions_pb2.FUNCTION_KIND_WINDOW,
            window=window,
            filter_id=None if where is None else ex(where)(p),
            distinct=distinct,
        )
        if ignore_nulls:
            body.null_treatment = functions_pb2.NULL_TREATMENT_IGNORE
        return p.expression(operands, call=body)

    return build


def frame(unit: str, start: Any, end: Any) -> Callable[[Plan], functions_pb2.WindowFrame]:
    """Returns a frame; a bound is a word such as `CURRENT_ROW`, or a word and an offset."""

    def bound(p: Plan, given: Any) -> functions_pb2.FrameBound:
        kind, *offset = given if isinstance(given, tuple) else (given,)
        number = functions_pb2.FrameBoundKind.Value(f"FRAME_BOUND_KIND_{kind}")
        ids = p.ids(offset)
        return functions_pb2.FrameBound(kind=number, offset_id=ids[0] if ids else None)

    return lambda p: functions_pb2.WindowFrame(
        unit=functions_pb2.FrameUnit.Value(f"FRAME_UNIT_{unit}"),
        start=bound(p, start),
        end=bound(p, end),
    )


def alias(value: Given, name: str, qualifier: str | None = None) -> Ex:
    body = expressions_pb2.AliasExpression(name=name, qualifier=qualifier)
    return lambda p: p.expression([ex(value)], alias=body)


def cast(value: Given, data_type: pa.DataType, *, tries: bool = False) -> Ex:
    body = expressions_pb2.CastExpression(type=data_type_to_proto(data_type))
    if tries:
        body.failure = expressions_pb2.CAST_FAILURE_NULL
    return lambda p: p.expression([ex(value)], cast=body)


def case(*branches: Given, base: Given = None, default: Given = None) -> Ex:
    body = expressions_pb2.CaseExpression(
        has_base=base is not None, has_default=default is not None
    )
    listed = [*([base] if base is not None else []), *branches]
    listed += [default] if default is not None else []
    return lambda p: p.expression([ex(each) for each in listed], case_when=body)


def between(value: Given, low: Given, high: Given, *, negated: bool = False) -> Ex:
    body = expressions_pb2.BetweenExpression(negated=negated)
    return lambda p: p.expression([ex(value), ex(low), ex(high)], between=body)


def in_list(value: Given, *items: Given, negated: bool = False) -> Ex:
    body = expressions_pb2.InListExpression(negated=negated)
    return lambda p: p.expression([ex(each) for each in (value, *items)], in_list=body)


def like(
    value: Given,
    pattern: Given,
    syntax: str = "LIKE",
    *,
    negated: bool = False,
    case: bool = True,
    escape: str | None = None,
) -> Ex:
    body = expressions_pb2.LikeExpression(
        syntax=expressions_pb2.PatternSyntax.Value(f"PATTERN_SYNTAX_{syntax}"),
        negated=negated,
        ignores_case=not case,
        escape=escape,
    )
    return lambda p: p.expression([ex(value), ex(pattern)], like=body)


def access(kind: str, *operands: Given, field: str = "") -> Ex:
    body = expressions_pb2.AccessExpression(
        kind=expressions_pb2.AccessKind.Value(f"ACCESS_KIND_{kind}"), field_name=field
    )
    return lambda p: p.expression([ex(each) for each in operands], access=body)


def lambda_of(body: Given, *parameters: str) -> Ex:
    made = functions_pb2.LambdaExpression(parameters=parameters)
    return lambda p: p.expression([ex(body)], lambda_function=made)


def var(name: str) -> Ex:
    body = functions_pb2.LambdaVariableExpression(name=name)
    return lambda p: p.expression([], lambda_variable=body)


def asc(value: Given, nulls: str = "UNSPECIFIED") -> Ex:
    return _sort_key(value, "ASCENDING", nulls)


def desc(value: Given, nulls: str = "UNSPECIFIED") -> Ex:
    return _sort_key(value, "DESCENDING", nulls)


def _sort_key(value: Given, direction: str, nulls: str) -> Ex:
    body = expressions_pb2.SortKeyExpression(
        direction=expressions_pb2.SortDirection.Value(f"SORT_DIRECTION_{direction}"),
        nulls=expressions_pb2.NullsOrder.Value(f"NULLS_ORDER_{nulls}"),
    )
    return lambda p: p.expression([ex(value)], sort_key=body)


def scalar_query(relation: Rel) -> Ex:
    return lambda p: p.expression(
        [], scalar_subquery=expressions_pb2.ScalarSubqueryExpression(relation_id=relation(p))
    )


def exists(relation: Rel, *, negated: bool = False) -> Ex:
    return lambda p: p.expression(
        [], exists=expressions_pb2.ExistsExpression(relation_id=relation(p), negated=negated)
    )


def in_query(value: Given, relation: Rel, *, negated: bool = False) -> Ex:
    def build(p: Plan) -> int:
        body = expressions_pb2.InSubqueryExpression(relation_id=relation(p), negated=negated)
        return p.expression([ex(value)], in_subquery=body)

    return build


def quantified(value: Given, comparison: str, quantifier: str, relation: Rel) -> Ex:
    def build(p: Plan) -> int:
        body = expressions_pb2.QuantifiedComparisonExpression(
            relation_id=relation(p),
            comparison=expressions_pb2.Comparison.Value(f"COMPARISON_{comparison}"),
            quantifier=expressions_pb2.Quantifier.Value(f"QUANTIFIER_{quantifier}"),
        )
        return p.expression([ex(value)], quantified_comparison=body)

    return build


# Relations.


def table(name: str, alias: str | None = None) -> Rel:
    read = sources_pb2.ReadNamedTableRelation(name=names_pb2.TableName(table=name), alias=alias)
    return lambda p: p.relation([], read_named_table=read)


def values(schema: pa.Schema, *rows: Sequence[Given]) -> Rel:
    def build(p: Plan) -> int:
        body = sources_pb2.ValuesRelation(schema=schema_to_proto(schema))
        for row in rows:
            body.rows.add(expression_ids=p.ids(row))
        return p.relation([], values=body)

    return build


def files(file_set: sources_pb2.FileSet, alias: str | None = None) -> Rel:
    read = sources_pb2.ReadFilesRelation(files=file_set, alias=alias)
    return lambda p: p.relation([], read_files=read)


def inline(rows: pa.Table, alias: str | None = None) -> Rel:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, rows.schema) as writer:
        writer.write_table(rows)
    stream = sink.getvalue().to_pybytes()
    read = sources_pb2.InlineTableRelation(arrow_stream=stream, alias=alias)
    return lambda p: p.relation([], inline_table=read)


def sql(query: str, alias: str | None = None) -> Rel:
    body = sources_pb2.SqlRelation(query=query, alias=alias)
    return lambda p: p.relation([], sql=body)


def series(start: Given, stop: Given, step: Given = None, *, includes_stop: bool = True) -> Rel:
    def build(p: Plan) -> int:
        body = sources_pb2.SeriesRelation(
            start_id=ex(start)(p), stop_id=ex(stop)(p), includes_stop=includes_stop
        )
        if step is not None:
            body.step_id = ex(step)(p)
        return p.relation([], series=body)

    return build


def table_function(name: str, *arguments: Given) -> Rel:
    return lambda p: p.relation(
        [],
        table_function=sources_pb2.TableFunctionRelation(
            function_name=name, argument_ids=p.ids(arguments)
        ),
    )


def read_cte(name: str, alias: str | None = None) -> Rel:
    read = sources_pb2.ReadCteRelation(name=name, alias=alias)
    return lambda p: p.relation([], read_cte=read)


def project(source: Rel, *items: Given) -> Rel:
    return lambda p: p.relation(
        [source], projection=relations_pb2.ProjectionRelation(expression_ids=p.ids(items))
    )


def with_columns(source: Rel, *items: Given) -> Rel:
    return lambda p: p.relation(
        [source], with_columns=relations_pb2.WithColumnsRelation(expression_ids=p.ids(items))
    )


def drop_columns(source: Rel, *names: str) -> Rel:
    columns = [names_pb2.ColumnName(name=each) for each in names]
    body = relations_pb2.DropColumnsRelation(columns=columns)
    return lambda p: p.relation([source], drop_columns=body)


def rename(source: Rel, **names: str) -> Rel:
    body = relations_pb2.RenameColumnsRelation()
    for old, new in names.items():
        body.renamings.add(column=names_pb2.ColumnName(name=old), new_name=new)
    return lambda p: p.relation([source], rename_columns=body)


def where(source: Rel, condition: Given) -> Rel:
    return lambda p: p.relation(
        [source], filter=relations_pb2.FilterRelation(condition_id=ex(condition)(p))
    )


def group(
    source: Rel,
    by: Sequence[Given],
    *aggregates: Ex,
    mode: str = "UNSPECIFIED",
    sets: Sequence[Sequence[int]] = (),
) -> Rel:
    def build(p: Plan) -> int:
        body = relations_pb2.AggregateRelation(
            grouping_ids=p.ids(by),
            aggregate_ids=p.ids(aggregates),
            grouping_mode=relations_pb2.GroupingMode.Value(f"GROUPING_MODE_{mode}"),
        )
        for each in sets:
            body.grouping_sets.add(positions=each)
        return p.relation([source], aggregate=body)

    return build


def sort(source: Rel, *keys: Ex) -> Rel:
    return lambda p: p.relation([source], sort=relations_pb2.SortRelation(sort_key_ids=p.ids(keys)))


def fetch(source: Rel, rows: int | None = None, skip: int = 0) -> Rel:
    body = relations_pb2.FetchRelation(skip_rows=skip, fetch_rows=rows)
    return lambda p: p.relation([source], fetch=body)


def distinct(source: Rel, *on: Given, order: Sequence[Ex] = ()) -> Rel:
    return lambda p: p.relation(
        [source],
        distinct=relations_pb2.DistinctRelation(on_ids=p.ids(on), sort_key_ids=p.ids(order)),
    )


def window(source: Rel, *windows: Ex) -> Rel:
    return lambda p: p.relation(
        [source], window=relations_pb2.WindowRelation(window_ids=p.ids(windows))
    )


def unnest(source: Rel, *names: str, keeps_nulls: bool = False, depth: int = 0) -> Rel:
    body = relations_pb2.UnnestRelation(keeps_nulls=keeps_nulls)
    for each in names:
        body.columns.add(column=names_pb2.ColumnName(name=each), depth=depth)
    return lambda p: p.relation([source], unnest=body)


def named(source: Rel, name: str, *columns: str) -> Rel:
    body = relations_pb2.SubqueryAliasRelation(name=name, column_names=columns)
    return lambda p: p.relation([source], subquery_alias=body)


def sample(source: Rel, fraction: float, seed: int | None = None) -> Rel:
    body = relations_pb2.SampleRelation(fraction=fraction, seed=seed)
    return lambda p: p.relation([source], sample=body)


def repartition(source: Rel, count: int, *keys: Given) -> Rel:
    return lambda p: p.relation(
        [source],
        repartition=relations_pb2.RepartitionRelation(partition_count=count, key_ids=p.ids(keys)),
    )


def join(
    left: Rel,
    right: Rel,
    kind: str = "INNER",
    *,
    keys: Sequence[tuple[Given, Given]] = (),
    condition: Given = None,
    nulls_equal: bool = False,
    merges: bool = False,
    lateral: bool = False,
) -> Rel:
    def build(p: Plan) -> int:
        ids = [left(p), right(p)]
        body = relations_pb2.JoinRelation(
            type=relations_pb2.JoinType.Value(f"JOIN_TYPE_{kind}"),
            merges_keys=merges,
            is_lateral=lateral,
            condition_id=None if condition is None else ex(condition)(p),
        )
        if nulls_equal:
            body.null_equality = relations_pb2.NULL_EQUALITY_EQUAL
        for one, other in keys:
            body.keys.add(left_id=ex(one)(p), right_id=ex(other)(p))
        return p.relation_over(ids, join=body)

    return build


def combine(kind: str, *inputs: Rel, by_name: bool = False) -> Rel:
    number = relations_pb2.SetOperationType.Value(f"SET_OPERATION_TYPE_{kind}")
    body = relations_pb2.SetOperationRelation(type=number, by_name=by_name)
    return lambda p: p.relation(inputs, set_operation=body)


def with_names(body: Rel, **definitions: Rel) -> Rel:
    made = relations_pb2.WithRelation(names=list(definitions))
    return lambda p: p.relation([*definitions.values(), body], with_names=made)


def recursive(name: str, first: Rel, following: Rel, *, is_distinct: bool = False) -> Rel:
    body = relations_pb2.RecursiveRelation(name=name, is_distinct=is_distinct)
    return lambda p: p.relation([first, following], recursive=body)


def explain(query: Rel, *, analyze: bool = False, verbose: bool = False) -> Rel:
    body = commands_pb2.ExplainCommand(is_analyze=analyze, is_verbose=verbose)
    return lambda p: p.relation([query], explain=body)


def command(query: Rel | None = None, **kind: Any) -> Rel:
    return lambda p: p.relation([] if query is None else [query], **kind)
