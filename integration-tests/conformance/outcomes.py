"""Holds what a client answered against what a vector says."""

from typing import Any

import pyarrow as pa

from conformance.process import OneProcess
from conformance.rows import table_from_ipc, table_from_rows
from oracle.compare import assert_same, assert_same_schema
from springald.conformance.v1 import client_pb2 as calls
from springald.conformance.v1 import vector_pb2 as pb
from springald.error.v1 import error_pb2
from springald.types import schema_from_proto


def check_outcome(step: pb.Step, answer: calls.Answer, oracle: OneProcess) -> None:
    """Raises AssertionError when a step came out otherwise than it says."""
    if step.HasField("failure"):
        _check_failure(step.failure, answer)
        return
    if answer.WhichOneof("outcome") == "error":
        code = error_pb2.Code.Name(answer.error.code)
        raise AssertionError(f"the step succeeds: got {code}: {answer.error.message}")
    match step.WhichOneof("outcome"):
        case "rows":
            check_rows(rows_of(answer), table_from_rows(step.rows), ordered=step.rows.ordered)
        case "rows_of_sql":
            check_rows(rows_of(answer), oracle.rows(step), ordered=False)
        case "totals":
            _check_equal("totals", _single(answer, "totals"), step.totals)
        case "columns":
            got = schema_from_proto(_single(answer, "columns"))
            assert_same_schema(got, schema_from_proto(step.columns.schema))
        case "names":
            _check_equal("names", _single(answer, "names"), step.names)


def check_rows(got: pa.Table, want: pa.Table, *, ordered: bool) -> None:
    """Raises AssertionError unless two tables have the same rows."""
    order = range(want.num_columns) if ordered else None
    assert_same(got, want, order=order)


def rows_of(answer: calls.Answer) -> pa.Table:
    """Reads the rows of an answer, whichever way it has them."""
    if answer.WhichOneof("outcome") == "typed_rows":
        return table_from_rows(answer.typed_rows)
    return table_from_ipc(_single(answer, "rows"))


def _check_failure(failure: pb.Failure, answer: calls.Answer) -> None:
    want = error_pb2.Code.Name(failure.code)
    outcome = answer.WhichOneof("outcome")
    if outcome != "error":
        raise AssertionError(f"the step fails with {want}: got {outcome}")
    got = error_pb2.Code.Name(answer.error.code)
    if got != want:
        raise AssertionError(f"the step fails with {want}: got {got}: {answer.error.message}")
    missing = [word for word in failure.words if word not in answer.error.message]
    if missing:
        raise AssertionError(f"the message says {missing}: got {answer.error.message}")
    if failure.node_id and failure.node_id != answer.error.node_id:
        raise AssertionError(f"node {failure.node_id} is named: got {answer.error.node_id!r}")


def _single(answer: calls.Answer, outcome: str) -> Any:  # noqa: ANN401 - what the outcome holds
    got = answer.WhichOneof("outcome")
    if got != outcome:
        raise AssertionError(f"a client answers with {outcome}: got {got}")
    return getattr(answer, outcome)


def _check_equal(what: str, got: object, want: object) -> None:
    if got != want:
        raise AssertionError(f"{what} are equal: got {got}, want {want}")
