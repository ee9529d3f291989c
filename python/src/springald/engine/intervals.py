"""Intervals of Arrow's older two kinds, which results have as months, days and nanoseconds (P5.8).

The engine computes with them, and files hold them. pyarrow has no arrays of them, and neither do
most libraries that clients hand rows on to.
"""

import pyarrow as pa
from datafusion import DataFrame, col

from springald.errors import UnsupportedError
from springald.results import with_children
from springald.types.c_schema import is_older_interval

__all__ = ["known_interval_type", "with_known_intervals"]


def known_interval_type(data_type: pa.DataType) -> pa.DataType:
    """Returns a type with its intervals, at any depth, as ones of months, days and nanoseconds.

    Example:
        >>> from springald.types.c_schema import INTERVAL_MONTHS
        >>> known_interval_type(pa.list_(INTERVAL_MONTHS))
        ListType(list<item: month_day_nano_interval>)
    """
    if is_older_interval(data_type):
        return pa.month_day_nano_interval()
    if pa.types.is_dictionary(data_type) or pa.types.is_run_end_encoded(data_type):
        value_type = known_interval_type(data_type.value_type)
        return data_type if value_type == data_type.value_type else value_type
    if not data_type.num_fields:
        return data_type
    fields = [data_type.field(number) for number in range(data_type.num_fields)]
    children = [field.with_type(known_interval_type(field.type)) for field in fields]
    return data_type if children == fields else with_children(data_type, children)


def with_known_intervals(frame: DataFrame) -> DataFrame:
    """Returns a query whose rows have no older intervals.

    Raises:
        UnsupportedError: It has some, and two columns of one name.
    """
    schema = frame.schema()
    known = [known_interval_type(field.type) for field in schema]
    if known == schema.types:
        return frame
    if len(set(schema.names)) < len(schema.names):
        raise UnsupportedError(
            "columns of a result with intervals of months, or of days and milliseconds, differ in "
            f"name: got {schema.names}; name them with AS"
        )
    columns = []
    for field, data_type in zip(schema, known, strict=True):
        column = col('"' + field.name.replace('"', '""') + '"')
        if data_type != field.type:
            column = column.cast(data_type).alias(field.name)
        columns.append(column)
    return frame.select(*columns)
