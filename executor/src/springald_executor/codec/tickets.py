"""Tickets that an executor writes for its own engines to show to other executors."""

from springald.executor.v1.executor_pb2 import (
    OutputSelection,
    ReadOutputs,
    ReadUpload,
    StoreUpload,
    TicketClaims,
)
from springald.tickets import sign
from springald_executor.core.limits import TICKET_LIFETIME_MS
from springald_executor.core.model import OutputsWanted, UploadOffered, Wanted


def ticket_for(wanted: Wanted, key: bytes, now_ms: int) -> bytes:
    """Returns a ticket that opens what is wanted, for a short time."""
    claims = TicketClaims(expires_ms=now_ms + TICKET_LIFETIME_MS)
    if isinstance(wanted, OutputsWanted):
        selections = [
            OutputSelection(task_id=task_id, partition=partition)
            for task_id, partition in wanted.selections
        ]
        claims.read_outputs.CopyFrom(ReadOutputs(job_id=wanted.job_id, selections=selections))
    elif isinstance(wanted, UploadOffered):
        claims.store_upload.CopyFrom(StoreUpload(upload_id=wanted.upload_id))
    else:
        claims.read_upload.CopyFrom(ReadUpload(upload_id=wanted.upload_id))
    return sign(claims, key)
