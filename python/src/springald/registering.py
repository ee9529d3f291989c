"""Files that become tables of a session."""

import os
from collections.abc import Mapping, Sequence

import pyarrow as pa

from springald.checks import check_text
from springald.dataframe import DataFrame
from springald.expr.node import relation
from springald.paths import absolute, option_text
from springald.physical.v1 import physical_pb2
from springald.plan.v1 import commands_pb2, names_pb2
from springald.readers import Readers
from springald.scheduler.v1 import scheduler_pb2 as pb

__all__ = ["Registering"]

FileOption = str | int | float | bool
Path = str | os.PathLike[str]


class Registering(Readers):
    """The methods that make files a table; one of that name is replaced."""

    def register_parquet(
        self,
        name: str,
        path: Path,
        table_partition_cols: Sequence[str] = (),
        *,
        schema: pa.Schema | None = None,
        **options: FileOption,
    ) -> None:
        """Registers a Parquet file, or a folder of them, as a table; one of that name is replaced.

        Args:
            name: The table's name, exactly as it is to be called.
            path: The file or folder, as the cluster sees it; a relative one is relative to here.
            table_partition_cols: As for `read_parquet()`.
            schema: As for `read_parquet()`.
            **options: Options of the format, as in `CREATE EXTERNAL TABLE ... OPTIONS`.
        """
        if schema is None and not table_partition_cols:
            self._register_files(name, physical_pb2.FILE_FORMAT_PARQUET, path, options)
            return
        columns = table_partition_cols
        rows = self.read_parquet(path, schema=schema, table_partition_cols=columns, **options)
        self._register_rows(name, rows)

    def register_csv(
        self,
        name: str,
        path: Path,
        schema: pa.Schema | None = None,
        has_header: bool | None = None,  # noqa: FBT001 - datafusion-python's signature
        delimiter: str | None = None,
        schema_infer_max_records: int | None = None,
        *,
        table_partition_cols: Sequence[str] = (),
        file_compression_type: str | None = None,
        **options: FileOption,
    ) -> None:
        """Registers a CSV file, or a folder of them, as a table; one of that name is replaced.

        Args:
            name: The table's name, exactly as it is to be called.
            path: The file or folder, as the cluster sees it; a relative one is relative to here.
            schema: As for `read_csv()`.
            has_header: Whether the first line has the names of the columns; None means that it has.
            delimiter: As for `read_csv()`.
            schema_infer_max_records: As for `read_csv()`.
            table_partition_cols: As for `read_csv()`.
            file_compression_type: As for `read_csv()`.
            **options: Options of the format, as in `CREATE EXTERNAL TABLE ... OPTIONS`.
        """
        if has_header is not None:
            options["has_header"] = has_header
        if delimiter is not None:
            options["delimiter"] = delimiter
        records, compression = schema_infer_max_records, file_compression_type
        if schema is None and records is None and not (table_partition_cols or compression):
            self._register_files(name, physical_pb2.FILE_FORMAT_CSV, path, options)
            return
        header = bool(options.pop("has_header", True))
        separator = options.pop("delimiter", None)
        rows = self.read_csv(
            path,
            schema,
            header,
            None if separator is None else str(separator),
            records,
            table_partition_cols=table_partition_cols,
            file_compression_type=compression,
            **options,
        )
        self._register_rows(name, rows)

    def register_json(
        self,
        name: str,
        path: Path,
        schema: pa.Schema | None = None,
        schema_infer_max_records: int | None = None,
        *,
        table_partition_cols: Sequence[str] = (),
        file_compression_type: str | None = None,
        **options: FileOption,
    ) -> None:
        """Registers a file of JSON lines, or a folder of them; a table of that name is replaced.

        Args:
            name: The table's name, exactly as it is to be called.
            path: The file or folder, as the cluster sees it; a relative one is relative to here.
            schema: As for `read_json()`.
            schema_infer_max_records: As for `read_json()`.
            table_partition_cols: As for `read_json()`.
            file_compression_type: As for `read_json()`.
            **options: Options of the format, as in `CREATE EXTERNAL TABLE ... OPTIONS`.
        """
        records, compression = schema_infer_max_records, file_compression_type
        if schema is None and records is None and not (table_partition_cols or compression):
            self._register_files(name, physical_pb2.FILE_FORMAT_JSON, path, options)
            return
        rows = self.read_json(
            path,
            schema,
            records,
            table_partition_cols=table_partition_cols,
            file_compression_type=compression,
            **options,
        )
        self._register_rows(name, rows)

    def register_arrow(
        self, name: str, path: Path, schema: pa.Schema | None = None, **options: FileOption
    ) -> None:
        """Registers an Arrow IPC file, or a folder of them; a table of that name is replaced.

        Args:
            name: The table's name, exactly as it is to be called.
            path: The file or folder, as the cluster sees it; a relative one is relative to here.
            schema: As for `read_arrow()`.
            **options: Options of the format, as in `CREATE EXTERNAL TABLE ... OPTIONS`.
        """
        if schema is None:
            self._register_files(name, physical_pb2.FILE_FORMAT_ARROW, path, options)
            return
        self._register_rows(name, self.read_arrow(path, schema, **options))

    def _register_rows(self, name: str, rows: DataFrame) -> None:
        """Makes the files that are read the table's; a plan says what a registration cannot."""
        command = commands_pb2.CreateExternalTableCommand(
            name=names_pb2.TableName(table=check_text(name, "a table's name")),
            files=rows.node.message.files,
            mode=commands_pb2.CREATE_MODE_REPLACE,
        )
        self._carry_out(relation("create_external_table", command))

    def _register_files(
        self,
        name: str,
        file_format: physical_pb2.FileFormat.ValueType,
        path: Path,
        options: Mapping[str, FileOption],
    ) -> None:
        self._session.check_open()
        files = physical_pb2.RegisteredFiles(
            format=file_format,
            path=check_text(absolute(path), "a path"),
            options=[
                physical_pb2.Option(name=option, value=check_text(option_text(value), option))
                for option, value in options.items()
            ],
        )
        checked = check_text(name, "a table's name")
        self._session.transport.register_files(
            pb.RegisterFilesRequest(session_id=self._session.id, name=checked, files=files)
        )
