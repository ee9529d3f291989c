"""Where the inputs of an attempt lie: here, or at an executor that is asked for them."""

from springald_executor.core import failures
from springald_executor.core.events import TaskLaunched
from springald_executor.core.failures import Failure
from springald_executor.core.model import (
    InputSlice,
    LocalInput,
    RemoteInput,
    RemoteUpload,
    StageDefinition,
    StoredFile,
    TaskInput,
)
from springald_executor.core.shelf import Shelf


class CannotRunError(Exception):
    """An attempt's inputs are not where they should be."""

    def __init__(self, failure: Failure) -> None:
        """Carries what the scheduler is told."""
        super().__init__(failure.message)
        self.failure = failure


def resolve_inputs(
    launch: TaskLaunched, stage: StageDefinition, shelf: Shelf, executor_id: str
) -> tuple[TaskInput, ...]:
    """Returns what an attempt reads of other stages, and where each output lies.

    Raises:
        CannotRunError: An output should lie here and does not, or a slice was not told.
    """
    inputs: list[TaskInput] = []
    for number, defined in enumerate(stage.inputs):
        own = _slice_of(launch, number) if defined.sliced else None
        outputs: list[LocalInput | RemoteInput] = []
        for index, place in enumerate(defined.outputs):
            partitions = own.outputs.get(index, ()) if own else place.partitions
            if own and not partitions:
                continue
            file = shelf.find(launch.job_id, place.task_id)
            if file is not None:
                # All of a file's blocks, for all tasks, would be blocks times tasks to send.
                file = file.only(own.partitions) if own else file
                outputs.append(LocalInput(place.task_id, file))
            elif place.executor_id != executor_id:
                whence = (place.executor_id, place.address, partitions)
                outputs.append(RemoteInput(place.task_id, *whence))
            elif partitions:
                raise CannotRunError(failures.input_lost(launch.task_id, place.task_id))
        told = own.partitions if own else None
        inputs.append(TaskInput(defined.kind, tuple(outputs), told))
    return tuple(inputs)


def resolve_uploads(
    launch: TaskLaunched, stage: StageDefinition, shelf: Shelf, executor_id: str
) -> dict[str, StoredFile | RemoteUpload]:
    """Returns the uploads that an attempt reads, by id, and where each lies.

    Raises:
        CannotRunError: An upload should lie here and does not.
    """
    uploads: dict[str, StoredFile | RemoteUpload] = {}
    for upload in stage.uploads:
        here = shelf.find_upload(upload.upload_id)
        if here is None and upload.executor_id == executor_id:
            raise CannotRunError(failures.upload_lost(launch.task_id, upload.upload_id))
        there = (upload.upload_id, upload.address, upload.partition_count, upload.rows)
        uploads[upload.upload_id] = here or RemoteUpload(*there)
    return uploads


def _slice_of(launch: TaskLaunched, number: int) -> InputSlice:
    """Returns what an attempt was told to read of an input."""
    if number >= len(launch.slices):
        raise CannotRunError(failures.slice_untold(launch.task_id, number))
    return launch.slices[number]
