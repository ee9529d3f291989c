"""Whole queries, from the payload of a fragment. Needs the engine: for engine processes only."""

from typing import Final

from google.protobuf.message import DecodeError

from springald.engine.catalog import CatalogEntry, SqlQuery
from springald.errors import MessageGarbledError
from springald.physical.v1 import physical_pb2 as physical
from springald.types import scalar_from_proto

_FORMATS: Final = {
    physical.FILE_FORMAT_PARQUET: "parquet",
    physical.FILE_FORMAT_CSV: "csv",
    physical.FILE_FORMAT_JSON: "json",
    physical.FILE_FORMAT_ARROW: "arrow",
}


def query_from_payload(payload: bytes) -> SqlQuery:
    """Reads a serialised SqlFragment.

    Raises:
        MessageGarbledError: It does not decode, or names what this version does not know.
    """
    try:
        message = physical.SqlFragment.FromString(payload)
    except DecodeError as failure:
        raise MessageGarbledError(
            f"a query's fragment decodes: got {len(payload)} bytes that do not"
        ) from failure
    return SqlQuery(
        message.sql,
        tuple(_entry(each) for each in message.catalog),
        tuple((each.name, scalar_from_proto(each.value)) for each in message.parameters),
        tuple((option.name, option.value) for option in message.settings),
        message.substrait_plan,
    )


def _entry(message: physical.CatalogEntry) -> CatalogEntry:
    match message.WhichOneof("source"):
        case "statement":
            return CatalogEntry(message.name, statement=message.statement)
        case "files" if message.files.format in _FORMATS:
            files = message.files
            return CatalogEntry(
                message.name,
                format=_FORMATS[files.format],
                path=files.path,
                options=tuple((option.name, option.value) for option in files.options),
            )
        case "upload":
            return CatalogEntry(message.name, upload_id=message.upload.upload_id)
        case "arrow_stream":
            return CatalogEntry(message.name, arrow_stream=message.arrow_stream)
        case source:
            raise MessageGarbledError(
                f"a table has a known source and format: got {source} for {message.name!r}"
            )
