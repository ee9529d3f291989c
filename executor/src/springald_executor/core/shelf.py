"""What an executor keeps: folders of jobs, outputs of attempts, copies, uploads, and their memory.

The memory-backed folder has a budget. Running attempts and arriving uploads hold grants of it;
finished files hold what they take.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from springald_executor.core.model import Grant, StoredFile

_NAME_CHARACTERS_MAX = 40


@dataclass(slots=True)
class JobShelf:
    """What is kept of a job.

    Attributes:
        folder: Below which all its files lie.
        outputs: Finished attempts by id.
        copies: Outputs of attempts elsewhere that were fetched whole, by the attempt's id.
    """

    folder: str
    outputs: dict[str, StoredFile] = field(default_factory=dict)
    copies: dict[str, StoredFile] = field(default_factory=dict)

    def files(self) -> Iterator[StoredFile]:
        """Yields every file once; copies may share one."""
        yield from self.outputs.values()
        yield from {file.path: file for file in self.copies.values()}.values()


@dataclass(slots=True)
class UploadShelf:
    """What is kept of an upload; an arriving one has no file yet, a doomed one goes at once."""

    folder: str
    granted_bytes: int
    file: StoredFile | None = None
    doomed: bool = False


class Shelf:
    """Everything kept, with the budget of memory."""

    def __init__(self, memory_bytes: int) -> None:
        """Starts empty, with so many bytes for files in memory."""
        self.jobs: dict[str, JobShelf] = {}
        self.uploads: dict[str, UploadShelf] = {}
        self.memory_bytes = memory_bytes
        self.granted_bytes = 0
        self.used_bytes = 0
        self._folders = 0

    @property
    def memory_bytes_free(self) -> int:
        """Memory that is neither used nor granted."""
        return max(0, self.memory_bytes - self.used_bytes - self.granted_bytes)

    def job(self, job_id: str) -> JobShelf:
        """Returns a job's shelf, which is put up when first asked for."""
        shelf = self.jobs.get(job_id)
        if shelf is None:
            shelf = self.jobs[job_id] = JobShelf(self._folder("jobs", job_id))
        return shelf

    def task_folder(self, job_id: str, task_id: str) -> str:
        """Returns a new folder for an attempt, below its job's."""
        return self._folder(self.job(job_id).folder, task_id.removeprefix(f"{job_id}/"))

    def find(self, job_id: str, task_id: str) -> StoredFile | None:
        """Returns the output of an attempt of a job, or a copy of it, if there is one here."""
        shelf = self.jobs.get(job_id)
        if shelf is None:
            return None
        return shelf.outputs.get(task_id) or shelf.copies.get(task_id)

    def find_upload(self, upload_id: str) -> StoredFile | None:
        """Returns an upload that is complete, if it is here."""
        shelf = self.uploads.get(upload_id)
        return shelf.file if shelf else None

    def put_output(self, job_id: str, task_id: str, file: StoredFile) -> None:
        """Keeps what an attempt made."""
        self.job(job_id).outputs[task_id] = file
        self.used_bytes += _in_memory([file])

    def put_copies(self, job_id: str, copies: dict[str, StoredFile]) -> None:
        """Keeps copies for later tasks of the job; of two copies of an output the first stays."""
        shelf = self.job(job_id)
        before = _in_memory(shelf.files())
        shelf.copies = {**copies, **shelf.copies}
        self.used_bytes += _in_memory(shelf.files()) - before

    def grant(self, folder: str, count: int) -> Grant:
        """Grants memory to who writes into a folder."""
        self.granted_bytes += count
        return Grant(folder, count)

    def take_back(self, grant: Grant) -> None:
        """Ends a grant."""
        self.granted_bytes -= grant.memory_bytes

    def drop_job(self, job_id: str) -> str:
        """Forgets a job; returns its folder."""
        shelf = self.jobs.pop(job_id)
        self.used_bytes -= _in_memory(shelf.files())
        return shelf.folder

    def begin_upload(self, upload_id: str) -> Grant:
        """Makes a place for an upload, with half of the free memory."""
        grant = self.grant(self._folder("uploads", upload_id), self.memory_bytes_free // 2)
        self.uploads[upload_id] = UploadShelf(grant.folder, grant.memory_bytes)
        return grant

    def finish_upload(self, upload_id: str, file: StoredFile) -> None:
        """Keeps an upload that arrived."""
        shelf = self.uploads[upload_id]
        self.granted_bytes -= shelf.granted_bytes
        shelf.granted_bytes = 0
        shelf.file = file
        self.used_bytes += _in_memory([file])

    def drop_upload(self, upload_id: str) -> str:
        """Forgets an upload; returns its folder."""
        shelf = self.uploads.pop(upload_id)
        self.granted_bytes -= shelf.granted_bytes
        if shelf.file is not None:
            self.used_bytes -= _in_memory([shelf.file])
        return shelf.folder

    def _folder(self, parent: str, name: str) -> str:
        """Names a folder that was never used before, in letters that every reader takes."""
        self._folders += 1
        plain = "".join(each if each.isascii() and each.isalnum() else "-" for each in name)
        return f"{parent}/{plain[:_NAME_CHARACTERS_MAX]}-{self._folders}"


def _in_memory(files: Iterable[StoredFile]) -> int:
    return sum(file.size for file in files if file.in_memory)
