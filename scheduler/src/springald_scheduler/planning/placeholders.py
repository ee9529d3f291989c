"""The empty files that stand for an upload's partitions while a query is planned.

The engine plans over files, and uploaded rows lie on executors. So each partition of an upload has
a placeholder with its schema, and plans get markers in their place, which a task fills with ranges.
"""

import os
import shutil
from collections.abc import Container
from pathlib import Path

import pyarrow as pa

from springald.datafusion.v55 import plan_view_pb2 as pb
from springald.engine import plan_view as pv
from springald.engine.fragment import exchange_input, upload_of, upload_path
from springald.engine.plan_view import PlanNode
from springald.errors import PathNotAllowedError
from springald.results import plain_schema
from springald_scheduler.planning.model import Upload


class Placeholders:
    """Placeholders of a session's uploads, in a folder of the planner."""

    def __init__(self, work_dir: Path) -> None:
        """Takes the planner's folder, which may be shared by sessions: upload ids differ."""
        self._root = work_dir / "springald-upload"

    def folder(self, upload_id: str) -> str:
        """Returns the location of an upload's placeholders, as a table takes it."""
        return f"{self._root / upload_id}/"

    def write(self, upload: Upload) -> None:
        """Writes an upload's placeholders."""
        schema = plain_schema(pa.ipc.read_schema(pa.py_buffer(upload.schema)))
        Path(self.folder(upload.upload_id)).mkdir(parents=True, exist_ok=True)
        for partition in range(upload.partition_count):
            with pa.ipc.new_file(self._file(upload.upload_id, partition), schema):
                pass

    def remove(self, upload_id: str) -> None:
        """Removes an upload's placeholders."""
        shutil.rmtree(self.folder(upload_id), ignore_errors=True)

    def mark(self, root: PlanNode, known: Container[str]) -> None:
        """Puts markers in the place of placeholders.

        A placeholder stands for a whole partition. The engine may plan over parts of the file; the
        first one becomes the partition, and the others nothing.

        Args:
            root: The plan, which is changed.
            known: The session's own upload ids.

        Raises:
            PathNotAllowedError: A file poses as a marker, or belongs to another session's upload.
        """
        for scan in (node for node in root.walk() if node.kind in pv.FILE_SCAN_KINDS):
            conf = pv.scan_conf(scan)
            seen: set[str] = set()
            for group in conf.file_groups:
                self._mark_group(group, known, seen)
            if seen:
                scan.body = pb.FileScanNode(base_conf=conf.SerializeToString())

    def _mark_group(self, group: pb.FileGroup, known: Container[str], seen: set[str]) -> None:
        kept = []
        for file in group.files:
            marker = self._marker(file.path, known)
            if marker is None:
                kept.append(file)
            elif marker not in seen:
                seen.add(marker)
                kept.append(pb.PartitionedFile(path=marker))
        del group.files[:]
        group.files.extend(kept)

    def _marker(self, path: str, known: Container[str]) -> str | None:
        """Returns the marker for a path of the engine, which has no leading slash."""
        if exchange_input(path) is None and "springald-upload/" not in path:
            return None
        marked = upload_of(path[path.rfind("springald-upload/") :])
        if marked and marked[0] in known and self._is_placeholder(path, *marked):
            return upload_path(*marked)
        message = f"files of tables lie outside Springald's own folders: got {path!r}"
        raise PathNotAllowedError(f"{message}; give the folder another name")

    def _is_placeholder(self, path: str, upload_id: str, partition: int) -> bool:
        own = self._file(upload_id, partition)
        return os.path.realpath(f"/{path}") == os.path.realpath(own)

    def _file(self, upload_id: str, partition: int) -> Path:
        return Path(self.folder(upload_id)) / f"{partition}.arrow"
