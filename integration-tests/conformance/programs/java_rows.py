"""A Java virtual machine in this process, and rows that go in and out of it without a copy.

Both sides keep Arrow's memory layout, so a structure of a few addresses (the C data interface)
hands rows over. They stay where they were made, until the side that has them lets go of them: an
allocator that is closed while Python has rows of it refuses, and names what is out.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import jpype
import pyarrow as pa

JavaObject = Any
"""What a method of Java returned. Its classes are known when the machine runs, and not before."""

_TARGET: Final = Path(__file__).parents[3] / "java-bindings" / "target"
# Arrow for Java reads memory outside of the heap through java.nio.
_FLAGS: Final = ("--add-opens=java.base/java.nio=ALL-UNNAMED",)


def start_machine() -> None:
    """Starts the machine with the bindings as Maven built them; `mvn test-compile` does."""
    libraries = (_TARGET / "test.classpath").read_text().strip().split(":")
    folders = [str(_TARGET / name) for name in ("classes", "test-classes")]
    jpype.startJVM(*_FLAGS, classpath=[*folders, *libraries], convertStrings=False)


def java(name: str) -> JavaObject:
    """Finds a class by its whole name."""
    return jpype.JClass(name)


@contextmanager
def rows_of(session: JavaObject, result: JavaObject) -> Iterator[pa.RecordBatchReader]:
    """Lends the rows of a session's `dev.springald.Result`, which is closed afterwards.

    Raises:
        dev.springald.SpringaldException: The rows could not be fetched to their end. The C
            interface has only a text for that; the result knows the whole of it.
    """
    try:
        allocator = session.allocator()
        stream = java("org.apache.arrow.c.ArrowArrayStream").allocateNew(allocator)
        try:
            java("org.apache.arrow.c.Data").exportArrayStream(allocator, result.reader(), stream)
            reader = pa.RecordBatchReader._import_from_c(int(stream.memoryAddress()))  # noqa: SLF001 - pyarrow's name for it
        finally:
            stream.close()
        with reader:
            yield reader
    except (pa.ArrowException, OSError):
        failure = result.failure()
        if failure.isPresent():
            raise failure.get() from None
        raise
    finally:
        result.close()


@contextmanager
def rows_for_java(table: pa.Table) -> Iterator[JavaObject]:
    """Lends a table to Java as an `ArrowReader`.

    Raises:
        java.lang.IllegalStateException: Java still held rows at the end.
    """
    with (
        java("org.apache.arrow.memory.RootAllocator")() as allocator,
        java("org.apache.arrow.c.ArrowArrayStream").allocateNew(allocator) as stream,
    ):
        table.to_reader()._export_to_c(int(stream.memoryAddress()))  # noqa: SLF001 - as above
        with java("org.apache.arrow.c.Data").importArrayStream(allocator, stream) as reader:
            yield reader


def schema_of(columns: JavaObject) -> pa.Schema:
    """Takes over a `Schema` of Java's."""
    with java("org.apache.arrow.memory.RootAllocator")() as allocator:
        return pa.schema([_field(column, allocator) for column in columns.getFields()])


def bytes_for_java(content: bytes) -> JavaObject:
    """Makes an array of bytes, also of none."""
    return jpype.JArray(jpype.JByte)(content)


def map_for_java(items: Sequence[tuple[str, object]]) -> JavaObject:
    """Makes a map that keeps the order of its items."""
    made = java("java.util.LinkedHashMap")()
    for name, value in items:
        made.put(name, value)
    return made


def _field(column: JavaObject, allocator: JavaObject) -> pa.Field:
    """Takes over a column's name and type.

    A column that is described has the type of its values, and its dictionary's number beside it,
    which is the same for all. The C interface wants the type of the indices, and a dictionary.
    """
    dictionaries = java("java.util.HashMap")()
    utility = java("org.apache.arrow.vector.util.DictionaryUtility")
    stored = utility.toMemoryFormat(column, allocator, dictionaries)
    provider = java("org.apache.arrow.vector.dictionary.DictionaryProvider$MapDictionaryProvider")()
    for dictionary in dictionaries.values():
        provider.put(dictionary)
    try:
        with java("org.apache.arrow.c.ArrowSchema").allocateNew(allocator) as described:
            java("org.apache.arrow.c.Data").exportField(allocator, stored, provider, described)
            return pa.Field._import_from_c(int(described.memoryAddress()))  # noqa: SLF001 - as above
    finally:
        for dictionary in dictionaries.values():
            dictionary.getVector().close()
