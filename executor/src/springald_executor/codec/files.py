"""Where files lie, as executors of one host tell each other."""

from google.protobuf.message import DecodeError

from springald.errors import MessageGarbledError
from springald.executor.v1 import files_pb2 as pb
from springald_executor.core.model import Block, StoredFile
from springald_executor.shuffle.in_place import Located, LocatedFile


def located_to_bytes(located: Located) -> bytes:
    """Writes an answer to `locate`."""
    files = [
        pb.LocatedFile(
            path=each.file.path,
            size_bytes=each.file.size,
            inode=each.inode,
            partitions=[
                _partition_to_proto(number, blocks) for number, blocks in each.file.blocks.items()
            ],
            task_id=each.task_id,
        )
        for each in located.files
    ]
    return pb.LocatedFiles(host_id=located.host_id, files=files).SerializeToString()


def _partition_to_proto(number: int, blocks: tuple[Block, ...]) -> pb.LocatedPartition:
    return pb.LocatedPartition(
        partition=number,
        numbers=[block.number for block in blocks],
        starts=[block.start for block in blocks],
        ends=[block.end for block in blocks],
        rows=[block.rows for block in blocks],
        checksums=[block.checksum for block in blocks],
    )


def located_from_bytes(data: bytes) -> Located:
    """Reads an answer to `locate`.

    Raises:
        MessageGarbledError: It is none, or its columns are not equally long.
    """
    try:
        message = pb.LocatedFiles.FromString(data)
    except DecodeError as failure:
        wrong = f"files are told as a message: got {len(data)} other bytes"
        raise MessageGarbledError(wrong) from failure
    return Located(message.host_id, tuple(_file_from_proto(each) for each in message.files))


def _file_from_proto(message: pb.LocatedFile) -> LocatedFile:
    blocks = {each.partition: _blocks(each) for each in message.partitions}
    file = StoredFile(message.path, message.size_bytes, in_memory=False, blocks=blocks)
    return LocatedFile(message.task_id, file, message.inode)


def _blocks(message: pb.LocatedPartition) -> tuple[Block, ...]:
    columns = (message.numbers, message.starts, message.ends, message.rows, message.checksums)
    try:
        return tuple(Block(*row) for row in zip(*columns, strict=True))
    except ValueError as failure:
        wrong = f"columns of a partition are equally long: got {[len(each) for each in columns]}"
        raise MessageGarbledError(wrong) from failure
