"""What pyarrow knows about a type but has no call for, through Arrow's C data interface.

pyarrow can hold the older two interval types but not name them, and keeps the parameters of its own
extension types to itself. Both stand in `struct ArrowSchema`, to which pyarrow gives a capsule:
https://arrow.apache.org/docs/format/CDataInterface.html#structure-definitions.
"""

import ctypes
import struct
from typing import Final, cast

import pyarrow as pa

EXTENSION_NAME_KEY: Final = b"ARROW:extension:name"
EXTENSION_SERIALIZED_KEY: Final = b"ARROW:extension:metadata"


class _ArrowSchema(ctypes.Structure):
    """The head of `struct ArrowSchema`, as far as it is read here."""

    _fields_ = (
        ("format", ctypes.c_char_p),
        ("name", ctypes.c_char_p),
        ("metadata", ctypes.c_void_p),
    )


class _Exported:
    """A capsule in the form in which pyarrow takes one."""

    def __init__(self, capsule: object) -> None:
        self._capsule = capsule

    def __arrow_c_schema__(self) -> object:
        return self._capsule


_capsule_pointer = ctypes.pythonapi.PyCapsule_GetPointer
_capsule_pointer.restype = ctypes.c_void_p
_capsule_pointer.argtypes = (ctypes.py_object, ctypes.c_char_p)


def _schema_of(capsule: object) -> _ArrowSchema:
    return _ArrowSchema.from_address(_capsule_pointer(capsule, b"arrow_schema"))


def _type_of_format(form: bytes) -> pa.DataType:
    """Makes a type from its format string, by exporting another type and writing over its own."""
    capsule = pa.int32().__arrow_c_schema__()
    _schema_of(capsule).format = form  # read again before this function, which holds it, ends
    return pa.field(_Exported(capsule)).type


INTERVAL_MONTHS: Final = _type_of_format(b"tiM")
"""Months in 32 bits. pyarrow has no arrays and no scalars of it."""

INTERVAL_DAY_TIME: Final = _type_of_format(b"tiD")
"""Days and milliseconds. pyarrow has no arrays and no scalars of it."""


def is_older_interval(data_type: pa.DataType) -> bool:
    """True for intervals of months, and of days and milliseconds.

    >>> is_older_interval(INTERVAL_MONTHS), is_older_interval(pa.month_day_nano_interval())
    (True, False)
    """
    return data_type.id in {INTERVAL_MONTHS.id, INTERVAL_DAY_TIME.id}


def extension_parameters(data_type: pa.BaseExtensionType) -> bytes:
    """Returns the parameters of an extension type as the type serialises them.

    >>> extension_parameters(pa.opaque(pa.int8(), "geometry", "acme"))
    b'{"type_name":"geometry","vendor_name":"acme"}'
    """
    capsule = data_type.__arrow_c_schema__()
    entries = _metadata_at(_schema_of(capsule).metadata)
    return entries.get(EXTENSION_SERIALIZED_KEY, b"")


def _metadata_at(address: int | None) -> dict[bytes, bytes]:
    """Reads the interface's metadata: a count, then a length and bytes for each key and value."""
    if not address:
        return {}
    texts = []
    (count,) = struct.unpack("=i", ctypes.string_at(address, 4))
    for _ in range(2 * count):
        (length,) = struct.unpack("=i", ctypes.string_at(address + 4, 4))
        texts.append(ctypes.string_at(address + 8, length))
        address += 4 + length
    return dict(zip(texts[::2], texts[1::2], strict=True))


def registered_extension(name: str, serialized: bytes, storage: pa.DataType) -> pa.DataType | None:
    """Returns the extension type that pyarrow has registered under a name, or None.

    Raises:
        ValueError: The type's storage is another one.
        Exception: Whatever the type's own deserialiser raises for parameters or a storage type that
            it does not take.
    """
    metadata = {EXTENSION_NAME_KEY: name.encode(), EXTENSION_SERIALIZED_KEY: serialized}
    plain = pa.field("", storage, metadata=metadata)
    # Taking a field from outside is when Arrow looks a name up.
    resolved = pa.field(_Exported(plain.__arrow_c_schema__())).type
    if not isinstance(resolved, pa.BaseExtensionType):
        return None
    if not pa.field("", resolved.storage_type).equals(pa.field("", storage), check_metadata=True):
        raise ValueError(f"it is stored as {resolved.storage_type}")
    return cast("pa.DataType", resolved)
