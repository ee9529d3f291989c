"""Plans that were written elsewhere: by another language, another library, or into a file."""

from google.protobuf.message import DecodeError

from springald.errors import MessageGarbledError
from springald.plan.v1 import plan_pb2

__all__ = ["plan_from_bytes", "statement_of"]


def plan_from_bytes(serialized: bytes) -> plan_pb2.Plan:
    """Reads the bytes of a plan.

    Raises:
        MessageGarbledError: They are none.
    """
    try:
        return plan_pb2.Plan.FromString(serialized)
    except DecodeError as error:
        raise MessageGarbledError(
            f"a plan's bytes are those of a message springald.plan.v1.Plan: got {error}; "
            "write it with the protocol's own stubs"
        ) from error


def statement_of(plan: plan_pb2.Plan) -> str:
    """Tells for people what a plan runs: its text, or what it is made of."""
    match plan.WhichOneof("statement"):
        case "sql":
            return plan.sql.text
        case "relations":
            return f"a plan of {len(plan.relations.relations)} relations"
        case "substrait":
            return f"a plan of Substrait, {len(plan.substrait.plan)} bytes"
        case _:
            return "a plan without a statement"
