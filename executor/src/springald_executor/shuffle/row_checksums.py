"""Checksums of rows, the same in whatever order the rows come and however they are batched.

A row's columns are multiplied by odd constants and added up, the sum is mixed, and the rows' values
are added up: everything modulo 2^64, over whole columns at once. Strings are read eight bytes at a
time. Rows that differ have another checksum, but for an accident of one in 2^64 or so.
"""

from typing import Any, Final, TypeAlias

import numpy as np
import pyarrow as pa

from springald.types.c_schema import is_older_interval

Column: TypeAlias = Any
Words: TypeAlias = "np.ndarray[Any, np.dtype[np.uint64]]"

_MASK: Final = (1 << 64) - 1
_WORD: Final = 8
_ALL_BITS: Final = np.uint64(_MASK)
_COLUMN: Final = 0x9E3779B97F4A7C15
_MIXERS: Final = (np.uint64(0xD6E8FEB86659FD93), np.uint64(0xC2B2AE3D27D4EB4F))
_UNSIGNED: Final = {1: np.uint8, 2: np.uint16, 4: np.uint32, 8: np.uint64}


class NoChecksumError(Exception):
    """A column has a type that is not looked at; the rows have no checksum."""


def rows_checksum(batch: pa.RecordBatch, *, thorough: bool = True) -> int:
    """Returns the checksum of a batch's rows; those of several batches add up, modulo 2^64.

    Args:
        batch: The rows.
        thorough: False leaves out all but the lengths of strings.

    Raises:
        NoChecksumError: It has a column of a nested type.

    Example:
        >>> rows = pa.record_batch({"a": [1, 2], "b": ["x", None]})
        >>> turned = pa.record_batch({"a": [2, 1], "b": [None, "x"]})
        >>> rows_checksum(rows) == rows_checksum(turned)
        True
        >>> rows_checksum(rows) == rows_checksum(pa.record_batch({"a": [2, 1], "b": ["x", None]}))
        False
    """
    if any(is_older_interval(data_type) for data_type in batch.schema.types):
        raise NoChecksumError("pyarrow has no arrays of these intervals")
    sums = np.zeros(batch.num_rows, np.uint64)
    for place, column in enumerate(batch.columns):
        _add_column(sums, column, _Multipliers(place), thorough=thorough)
    return int(_mixed(sums).sum()) & _MASK


class _Multipliers:
    """Odd constants without an end, the same in every process."""

    def __init__(self, place: int) -> None:
        self._state = (place + 1) * _COLUMN & _MASK

    def take(self) -> np.uint64:
        """Returns the next one."""
        self._state = (self._state + _COLUMN * 0x632BE5AB) & _MASK
        mixed = (self._state ^ (self._state >> 30)) * 0xBF58476D1CE4E5B9 & _MASK
        mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB & _MASK
        return np.uint64((mixed ^ (mixed >> 31)) | 1)


def _mixed(sums: Words) -> Words:
    for multiplier in _MIXERS:
        sums ^= sums >> np.uint64(32)
        sums *= multiplier
    sums ^= sums >> np.uint64(29)
    return sums


def _add_column(sums: Words, column: Column, multipliers: _Multipliers, *, thorough: bool) -> None:
    kind = column.type
    if pa.types.is_null(kind) or not len(column):
        return
    valid = _bits(column, 0) if column.null_count else None
    # How many multipliers strings take depends on how long they are, so this one comes first.
    null = multipliers.take()
    if pa.types.is_boolean(kind):
        _add(sums, _bits(column, 1).astype(np.uint64), valid, multipliers.take())
    elif pa.types.is_string(kind) or pa.types.is_binary(kind):
        _add_strings(sums, column, np.int32, valid, multipliers, thorough=thorough)
    elif pa.types.is_large_string(kind) or pa.types.is_large_binary(kind):
        _add_strings(sums, column, np.int64, valid, multipliers, thorough=thorough)
    elif kind.num_fields or not hasattr(kind, "bit_width") or kind.bit_width % 8:
        raise NoChecksumError(str(kind))
    else:
        for values in _fixed(column, kind.bit_width // 8):
            _add(sums, values, valid, multipliers.take())
    if valid is not None:
        sums += np.where(valid, np.uint64(0), null)


def _add(sums: Words, values: Words, valid: Any, multiplier: np.uint64) -> None:  # noqa: ANN401
    product = values * multiplier
    if valid is not None:
        product *= valid
    sums += product


def _fixed(column: Column, width: int) -> list[Words]:
    """Returns the values of a column as words: as many for each row as its width takes."""
    count, skipped, data = len(column), column.offset, column.buffers()[1]
    unsigned = _UNSIGNED.get(width)
    if unsigned is not None:
        values = np.frombuffer(data, unsigned, count=skipped + count)[skipped:]
        return [values if unsigned is np.uint64 else values.astype(np.uint64)]
    if width % _WORD:
        rows = np.frombuffer(data, np.uint8, count=(skipped + count) * width)
        padded = np.zeros((count, -(-width // _WORD) * _WORD), np.uint8)
        padded[:, :width] = rows.reshape(-1, width)[skipped:]
        words = padded.view(np.uint64)
    else:
        flat = np.frombuffer(data, np.uint64, count=(skipped + count) * width // _WORD)
        words = flat.reshape(-1, width // _WORD)[skipped:]
    return [words[:, place] for place in range(words.shape[1])]


def _add_strings(
    sums: Words,
    column: Column,
    offset_type: type[np.signedinteger[Any]],
    valid: Any,  # noqa: ANN401
    multipliers: _Multipliers,
    *,
    thorough: bool,
) -> None:
    _, offsets_buffer, data = column.buffers()
    count, skipped = len(column), column.offset
    offsets = np.frombuffer(offsets_buffer, offset_type, count=skipped + count + 1)[skipped:]
    starts, lengths = offsets[:-1].astype(np.int64), np.diff(offsets).astype(np.int64)
    if valid is not None:
        lengths *= valid
    _add(sums, lengths.astype(np.uint64), None, multipliers.take())
    if not thorough:
        return
    words = _unaligned_words(data, int(offsets[-1]))
    done, longest = 0, int(lengths.max())
    rows = np.arange(count)
    while done < longest:
        rows = rows[lengths[rows] > done]
        left = np.minimum(lengths[rows] - done, _WORD)
        values = words[starts[rows] + done]
        values &= _ALL_BITS >> ((_WORD - left).astype(np.uint64) * np.uint64(8))
        values *= multipliers.take()
        # Words of a row are added to each other: what they have in common must not cancel out.
        values ^= values >> np.uint64(31)
        sums[rows] += values
        done += _WORD


def _unaligned_words(data: pa.Buffer | None, size: int) -> Words:
    """Returns the eight bytes from each place of a buffer on, with zeros behind its end."""
    padded = np.zeros(size + _WORD, np.uint8)
    if data is not None:
        padded[:size] = np.frombuffer(data, np.uint8, count=size)
    return np.ndarray((size + 1,), "<u8", buffer=padded, strides=(1,))


def _bits(column: Column, buffer: int) -> Any:  # noqa: ANN401
    count, skipped = len(column), column.offset
    held = np.frombuffer(column.buffers()[buffer], np.uint8)
    return np.unpackbits(held, count=skipped + count, bitorder="little")[skipped:].astype(bool)
