"""DataFrames: queries that are built step by step."""

from springald.dataframe.frame import DataFrame
from springald.dataframe.schema import FrameSchema
from springald.dataframe.summaries import GroupedData

__all__ = ["DataFrame", "FrameSchema", "GroupedData"]
