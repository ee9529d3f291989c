"""How many bytes of files a plan reads, and how large the tables are that it reads.

What it reads says how much work there is. How large a table is says, about, how many rows it has,
however few of its columns are read: so tables are weighed against each other.
"""

from collections.abc import Mapping

from springald.datafusion.v55 import plan_view_pb2 as pb
from springald.engine import plan_view as pv
from springald.engine.fragment import upload_of
from springald.engine.plan_view import PlanNode
from springald_scheduler.planning.columns import scanned_column, width
from springald_scheduler.planning.model import Upload
from springald_scheduler.planning.row_groups import share_of_columns


def scanned_bytes(root: PlanNode, uploads: Mapping[str, Upload]) -> int:
    """Returns the bytes of files, or parts of files, and of their columns, that a plan scans.

    What columns take of a Parquet file is read off one file of each scan.
    """
    scans = (node for node in root.walk() if node.kind in pv.FILE_SCAN_KINDS)
    return sum(_bytes_of(scan, uploads) for scan in scans)


def table_bytes(root: PlanNode, uploads: Mapping[str, Upload]) -> int:
    """Returns the bytes of the files, or parts of files, that a plan scans, with all columns."""
    scans = (node for node in root.walk() if node.kind in pv.FILE_SCAN_KINDS)
    return sum(_length(file, uploads) for scan in scans for file in _files(pv.scan_conf(scan)))


def _bytes_of(scan: PlanNode, uploads: Mapping[str, Upload]) -> int:
    conf = pv.scan_conf(scan)
    files = _files(conf)
    total = sum(_length(file, uploads) for file in files)
    if scan.kind != "parquet_scan" or not files or conf.object_store_url != "file:///":
        return total
    names = _columns(scan, conf)
    if names is None:
        return total
    one = files[0]
    location = "/" + one.path.lstrip("/")
    return int(total * share_of_columns(location, one.size, one.last_modified_ns, names))


def _files(conf: pb.FileScanExecConf) -> list[pb.PartitionedFile]:
    return [file for group in conf.file_groups for file in group.files]


def _length(file: pb.PartitionedFile, uploads: Mapping[str, Upload]) -> int:
    if marked := upload_of(file.path):
        upload = uploads[marked[0]]
        return upload.bytes // upload.partition_count
    return pv.bytes_read(file)


def _columns(scan: PlanNode, conf: pb.FileScanExecConf) -> frozenset[str] | None:
    """Returns the names of the columns that a scan reads, or nothing if it computes some."""
    numbers = [scanned_column(scan, index) for index in range(width(scan) or 0)]
    if None in numbers:
        return None
    columns = pb.Schema.FromString(conf.schema).columns
    return frozenset(columns[n].name for n in numbers if n is not None and n < len(columns))
