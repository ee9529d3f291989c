"""Arrow's types, schemas and scalars as messages of `springald.type.v1`, and back.

`x_from_proto(x_to_proto(value))` is the value again. Both directions refuse what the contract does
not allow with `InvalidArgumentError`, and never change it in silence.
"""

from springald.types.scalar_reader import scalar_from_proto
from springald.types.scalar_writer import scalar_to_proto
from springald.types.type_reader import data_type_from_proto, field_from_proto, schema_from_proto
from springald.types.type_writer import data_type_to_proto, field_to_proto, schema_to_proto

__all__ = [
    "data_type_from_proto",
    "data_type_to_proto",
    "field_from_proto",
    "field_to_proto",
    "scalar_from_proto",
    "scalar_to_proto",
    "schema_from_proto",
    "schema_to_proto",
]
