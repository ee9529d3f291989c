"""Measures how deep a nested message may be before a decoder gives up (ADR 0003).

Run from the checkout: ``.venv/bin/python docs/adr/measure/nesting_depth.py``
"""

import signal
import subprocess
import sys

import google.protobuf
from datafusion import ExecutionPlan, SessionContext
from google.protobuf.descriptor_pb2 import DescriptorProto
from google.protobuf.message import DecodeError

# DescriptorProto.nested_type, field 3: a message that holds messages of its own kind.
NESTED_TYPE_TAG = 0x1A

UNLIMITED = """
import sys
from google._upb import _message
from google.protobuf.descriptor_pb2 import DescriptorProto
_message.SetAllowOversizeProtos(True)
DescriptorProto.FromString(sys.stdin.buffer.read())
"""


def nested(messages: int) -> bytes:
    """Serialises that many messages, each but the last holding the next."""
    data = bytearray()  # built back to front, so that the time is linear in the depth
    for _ in range(messages - 1):
        data += bytes(reversed(bytes([NESTED_TYPE_TAG]) + varint(len(data))))
    return bytes(reversed(data))


def varint(number: int) -> bytes:
    """Encodes a length, seven bits a byte, the lowest first."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def python_decodes(messages: int) -> bool:
    """Says whether the Python decoder takes that many messages inside each other."""
    try:
        DescriptorProto.FromString(nested(messages))
    except DecodeError:
        return False
    return True


def unlimited_python_survives(messages: int) -> str:
    """Decodes with the limit lifted, in a process that may die, and says how it ended."""
    request = nested(messages)
    child = subprocess.run(  # noqa: S603  # this interpreter, with the text above
        [sys.executable, "-c", UNLIMITED], input=request, capture_output=True, check=False
    )
    if child.returncode < 0:
        end = f"killed by {signal.Signals(-child.returncode).name}"
    else:
        end = "refused" if child.returncode else "decoded"
    return f"{len(request):,} bytes, {messages:,} messages deep: {end}"


def engine_decodes(joins: int) -> bool:
    """Says whether the engine reads back its own plan of that many joins in a row."""
    context = SessionContext()
    context.sql("CREATE TABLE t AS SELECT 1 AS a, 2 AS b").collect()
    chain = " ".join(f"JOIN t t{i} ON t{i}.a = t{i - 1}.b" for i in range(1, joins + 1))
    plan = context.sql(f"SELECT * FROM t t0 {chain}").execution_plan()  # noqa: S608
    try:
        ExecutionPlan.from_bytes(context, plan.to_bytes(context))
    except RuntimeError:
        return False
    return True


def main() -> None:
    """Prints one figure a line."""
    print(f"protobuf {google.protobuf.__version__}, Python {sys.version.split()[0]}")
    deepest = max(n for n in range(1, 200) if python_decodes(n))
    print(f"Python decodes {deepest} messages inside each other, refuses {deepest + 1}")
    tree = node = DescriptorProto()
    for _ in range(999):
        node = node.nested_type.add()
    print(f"Python serialises 1,000 inside each other: {len(tree.SerializeToString()):,} bytes")
    flat = DescriptorProto(nested_type=[DescriptorProto() for _ in range(100_000)])
    found = len(DescriptorProto.FromString(flat.SerializeToString()).nested_type)
    print(f"Python decodes {found:,} messages beside each other")
    for messages in (1_000, 20_000, 60_000):
        print(f"with the limit lifted, {unlimited_python_survives(messages)}")
    joins = max(n for n in range(40, 52) if engine_decodes(n))
    print(f"the engine decodes its own plan of {joins} joins in a row, refuses {joins + 1}")


if __name__ == "__main__":
    main()
