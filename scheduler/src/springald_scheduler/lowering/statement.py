"""The statement of a plan, from its bytes: SQL text, relations or Substrait."""

from google.protobuf.message import DecodeError

from springald.errors import MessageGarbledError
from springald.plan.v1 import plan_pb2
from springald.plans import check_plan
from springald_scheduler.lowering.literals import scalar_of
from springald_scheduler.lowering.lower import lower
from springald_scheduler.lowering.model import Catalog, Lowered


def lower_statement(plan: bytes, catalog: Catalog) -> Lowered:
    """Returns what a plan says, in the engine's terms.

    Args:
        plan: A serialised `springald.plan.v1.Plan` of a version that this one reads.
        catalog: Where tables are looked up.

    Raises:
        SpringaldError: It breaks a rule of the contract, or names what is not there.
    """
    try:
        message = plan_pb2.Plan.FromString(plan)
    except DecodeError as failure:
        text = f"a plan decodes: got {len(plan)} bytes that do not"
        raise MessageGarbledError(f"{text}; send a springald.plan.v1.Plan") from failure
    check_plan(message)
    match message.WhichOneof("statement"):
        case "sql":
            sql = message.sql
            positional = enumerate(sql.positional_parameters, 1)
            values = [(str(position), scalar_of(each)) for position, each in positional]
            values += [(each.name, scalar_of(each.value)) for each in sql.named_parameters]
            return Lowered(sql.text, tuple(values), is_written=True)
        case "substrait":
            return Lowered("", substrait_plan=message.substrait.plan)
        case _:
            return lower(message.relations, catalog)
