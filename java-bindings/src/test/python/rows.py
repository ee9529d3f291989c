"""Rows of the types that no query of the engine has, as an Arrow stream on standard output."""

import sys

import pyarrow as pa


def main() -> None:
    """Writes two batches, of which the second one has another dictionary."""
    codes = pa.array([5, 9, 5], type=pa.int8())
    numbers, texts = pa.array([1, None, 3]), pa.array(["x", "y", "z"])
    runs = pa.RunEndEncodedArray.from_arrays([2, 3], pa.array(["a", None]))
    columns = {
        "list_view": pa.array([[1, None], None, []], type=pa.list_view(pa.int32())),
        "large_list_view": pa.array([["a"], [], None], type=pa.large_list_view(pa.string())),
        "runs": runs,
        "sparse": pa.UnionArray.from_sparse(codes, [numbers, texts], ["n", "t"], [5, 9]),
        "dense": pa.UnionArray.from_dense(
            codes, pa.array([0, 0, 1], type=pa.int32()), [numbers, texts], ["n", "t"], [5, 9]
        ),
        "pairs": pa.array([{"k": {"x": 1}}, None, {"k": None}], type=_PAIRS),
    }
    words = [pa.array(["a", "b", "a"]), pa.array(["c", None, "d"])]
    batches = [pa.record_batch({**columns, "word": each.dictionary_encode()}) for each in words]
    with pa.ipc.new_stream(sys.stdout.buffer, batches[0].schema) as stream:
        for batch in batches:
            stream.write_batch(batch)


_PAIRS = pa.struct([("k", pa.struct([("x", pa.int8())]))])

if __name__ == "__main__":
    main()
