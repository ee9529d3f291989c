"""The ways in which a connection makes DataFrames without SQL."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from springald.checks import check_text
from springald.dataframe import DataFrame
from springald.dataframe.sources import (
    FileOption,
    files,
    function_rows,
    rows_in_memory,
    without_rows,
)
from springald.dataframe.statement import Statement
from springald.errors import InvalidArgumentError
from springald.expr.node import Node, relation
from springald.job import Job
from springald.plan.v1 import commands_pb2, names_pb2, sources_pb2
from springald.session import Session
from springald.uploads import Tabular, upload

__all__ = ["Readers"]

Path = str | os.PathLike[str]
_COMPRESSIONS = {
    None: None,
    "": None,
    "uncompressed": sources_pb2.COMPRESSION_NONE,
    "gzip": sources_pb2.COMPRESSION_GZIP,
    "gz": sources_pb2.COMPRESSION_GZIP,
    "bzip2": sources_pb2.COMPRESSION_BZIP2,
    "bz2": sources_pb2.COMPRESSION_BZIP2,
    "xz": sources_pb2.COMPRESSION_XZ,
    "zstd": sources_pb2.COMPRESSION_ZSTD,
    "zst": sources_pb2.COMPRESSION_ZSTD,
}


class Readers:
    """What a connection reads: files, rows in memory, table functions."""

    _session: Session

    def from_arrow(self, data: Tabular, name: str | None = None) -> DataFrame:
        """Returns rows in memory as a DataFrame.

        A few rows travel with each query; more are sent to the cluster once, now, and stay there
        as long as a DataFrame is made of them.

        Args:
            data: A pyarrow Table, RecordBatch or RecordBatchReader, a list of RecordBatches, or any
                object that offers the Arrow C stream interface.
            name: Make them a table of this name, too.

        Example:
            >>> import pyarrow as pa
            >>> con.from_arrow(pa.table({"a": [1, 2]})).count()
            2
        """
        if name is None:
            return self._made_of(rows_in_memory(self._session, data))
        self._session.check_open()
        upload(self._session, check_text(name, "a table's name"), data)
        return self.table(name)

    def from_pydict(self, data: Mapping[str, Sequence[Any]], name: str | None = None) -> DataFrame:
        """Returns lists of values, one for each column, as a DataFrame.

        Example:
            >>> con.from_pydict({"a": [1, 2]}).to_pylist()
            [{'a': 1}, {'a': 2}]
        """
        return self.from_arrow(pa.table(dict(data)), name)

    def from_pylist(self, data: Sequence[Mapping[str, Any]], name: str | None = None) -> DataFrame:
        """Returns dictionaries, one for each row, as a DataFrame.

        Example:
            >>> con.from_pylist([{"a": 1}, {"a": 2}]).to_pydict()
            {'a': [1, 2]}
        """
        return self.from_arrow(pa.Table.from_pylist([dict(row) for row in data]), name)

    def from_pandas(self, data: Tabular, name: str | None = None) -> DataFrame:
        """Returns a pandas DataFrame's rows.

        Example:
            >>> import pandas as pd
            >>> con.from_pandas(pd.DataFrame({"a": [1, 2]})).count()
            2
        """
        return self.from_arrow(data, name)

    def from_polars(self, data: Tabular, name: str | None = None) -> DataFrame:
        """Returns a polars DataFrame's rows.

        Example:
            >>> import polars as pl
            >>> con.from_polars(pl.DataFrame({"a": [1, 2]})).count()
            2
        """
        return self.from_arrow(data, name)

    def read_parquet(
        self,
        path: Path,
        *,
        schema: pa.Schema | None = None,
        table_partition_cols: Sequence[str] = (),
        **options: FileOption,
    ) -> DataFrame:
        """Returns the rows of Parquet files, which become no table.

        Args:
            path: A file, folder or pattern, as the cluster sees it; a relative one is relative to
                here.
            schema: The columns; None means what the files say.
            table_partition_cols: Columns that stand in the names of folders, outermost first.
            **options: Options of the format, as in `CREATE EXTERNAL TABLE ... OPTIONS`.

        Example:
            >>> df.write_parquet(folder / "read.parquet")
            >>> con.read_parquet(folder / "read.parquet").columns
            ['a', 'b']
        """
        return self._made_of(
            files("parquet", path, options, schema=schema, partition_columns=table_partition_cols)
        )

    def read_csv(
        self,
        path: Path,
        schema: pa.Schema | None = None,
        has_header: bool = True,  # noqa: FBT001, FBT002 - as above
        delimiter: str | None = None,
        schema_infer_max_records: int | None = None,
        *,
        table_partition_cols: Sequence[str] = (),
        file_compression_type: str | None = None,
        **options: FileOption,
    ) -> DataFrame:
        r"""Returns the rows of CSV files, which become no table.

        Args:
            path: As for `read_parquet()`.
            schema: The columns; None means that they are found by looking at the first rows.
            has_header: Whether the first line has the names of the columns.
            delimiter: The separator; None means a comma.
            schema_infer_max_records: How many rows are looked at.
            table_partition_cols: As for `read_parquet()`.
            file_compression_type: `gzip`, `bzip2`, `xz` or `zstd`; None means none.
            **options: Options of the format, as in `CREATE EXTERNAL TABLE ... OPTIONS`.

        Example:
            >>> _ = (folder / "read.csv").write_text("a;b\n1;x\n")
            >>> con.read_csv(folder / "read.csv", delimiter=";").to_pydict()
            {'a': [1], 'b': ['x']}
        """
        return self._made_of(
            files(
                "csv",
                path,
                options,
                schema=schema,
                partition_columns=table_partition_cols,
                has_header=has_header,
                delimiter=delimiter,
                infer_rows_max=schema_infer_max_records,
                compression=_compression(file_compression_type),
            )
        )

    def read_json(
        self,
        path: Path,
        schema: pa.Schema | None = None,
        schema_infer_max_records: int | None = None,
        *,
        table_partition_cols: Sequence[str] = (),
        file_compression_type: str | None = None,
        **options: FileOption,
    ) -> DataFrame:
        """Returns the rows of files of JSON lines, which become no table.

        Args:
            path: As for `read_parquet()`.
            schema: The columns; None means that they are found by looking at the first rows.
            schema_infer_max_records: How many rows are looked at.
            table_partition_cols: As for `read_parquet()`.
            file_compression_type: `gzip`, `bzip2`, `xz` or `zstd`; None means none.
            **options: Options of the format, as in `CREATE EXTERNAL TABLE ... OPTIONS`.

        Example:
            >>> df.write_json(folder / "read.json")
            >>> con.read_json(folder / "read.json").count()
            3
        """
        return self._made_of(
            files(
                "json",
                path,
                options,
                schema=schema,
                partition_columns=table_partition_cols,
                infer_rows_max=schema_infer_max_records,
                compression=_compression(file_compression_type),
            )
        )

    def read_arrow(
        self, path: Path, schema: pa.Schema | None = None, **options: FileOption
    ) -> DataFrame:
        """Returns the rows of Arrow IPC files, which become no table.

        Example:
            >>> import pyarrow as pa
            >>> with pa.ipc.new_file(folder / "read.arrow", df.schema()) as writer:
            ...     writer.write_table(df.to_arrow())
            >>> con.read_arrow(folder / "read.arrow").count()
            3
        """
        return self._made_of(files("arrow", path, options, schema=schema))

    def read_table(self, name: str) -> DataFrame:
        """Returns a DataFrame of all rows of a table or view; the same as `table()`.

        Example:
            >>> con.read_table("t").count()
            3
        """
        return self.table(name)

    def read_empty(self) -> DataFrame:
        """Returns one row of no columns, for expressions that need none.

        Example:
            >>> con.read_empty().select((lit(1) + 1).alias("two")).to_pydict()
            {'two': [2]}
        """
        message = sources_pb2.ValuesRelation(rows=[sources_pb2.ValuesRow()])
        message.schema.SetInParent()
        return self._made_of(relation("values", message))

    def table_function(self, name: str, *arguments: Any) -> DataFrame:  # noqa: ANN401 - expressions and values
        """Returns the rows of a table function; `springald.functions.names` lists them.

        Example:
            >>> con.table_function("generate_series", 1, 3).to_pydict()
            {'value': [1, 2, 3]}
        """
        return self._made_of(function_rows(name, arguments))

    def range(self, start: int, stop: int | None = None, step: int = 1) -> DataFrame:
        """Returns numbers at equal distances as one column, `value`; the last is left out.

        Example:
            >>> con.range(3).to_pydict(), con.range(1, 6, 2).count()
            ({'value': [0, 1, 2]}, 3)
        """
        first, last = (0, start) if stop is None else (start, stop)
        return self.table_function("range", first, last, step)

    def register_view(self, name: str, df: DataFrame) -> None:
        """Gives a query a name; it is run anew whenever the view is read.

        Example:
            >>> con.register_view("small", df.filter(col("a") < 3))
            >>> con.table("small").count()
            2
        """
        command = commands_pb2.CreateViewCommand(
            name=names_pb2.TableName(table=check_text(name, "a view's name")),
            mode=commands_pb2.CREATE_MODE_REPLACE,
        )
        if df.session is not self._session:
            raise InvalidArgumentError(
                "a view belongs to the connection of its DataFrame: got one of another"
            )
        checked = without_rows(self._session, df.node)
        self._carry_out(relation("create_view", command, (checked,)))
        self._session.held[name] = checked

    def register_table(self, name: str, table: DataFrame) -> None:
        """Gives a query a name; the same as `register_view()`.

        Example:
            >>> con.register_table("same", df)
            >>> con.table("same").count()
            3
        """
        self.register_view(name, table)

    def table(self, name: str) -> DataFrame:
        """Returns a DataFrame of all rows of a table or view."""
        raise NotImplementedError

    def _made_of(self, root: Node) -> DataFrame:
        self._session.check_open()
        return DataFrame(self._session, Statement(None, root))

    def _carry_out(self, command: Node) -> None:
        statement = Statement(None, command)
        Job(self._session, str(statement), statement.to_plan()).result()


def _compression(name: str | None) -> sources_pb2.Compression.ValueType | None:
    if name not in _COMPRESSIONS:
        known = ", ".join(sorted(each for each in _COMPRESSIONS if each))
        raise InvalidArgumentError(f"a file's compression is one of {known}: got {name!r}")
    return _COMPRESSIONS[name]
