"""What EXPLAIN ANALYZE answers, made of what is known of its job."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from springald.job_profile import JobProfile
from springald.limits import INLINE_ROWS_BYTES_MAX
from springald.scheduler.v1 import scheduler_pb2 as pb
from springald_scheduler.codec.answers import details_to_proto, update_to_proto
from springald_scheduler.codec.tickets import Mint
from springald_scheduler.core.graph import AnswerKind
from springald_scheduler.core.states import JobState
from springald_scheduler.core.views import JobDetails, JobView
from springald_scheduler.planning.explain import explanation, stream_of

_SPARE_BYTES: Final = 4_096
"""What an answer needs beside its texts."""


def update_for_client(
    job: JobView, mint: Mint, describe: Callable[[str], JobDetails]
) -> pb.JobUpdate:
    """Writes how a job stands; its profile is made when its client asks, of what is known then.

    Args:
        job: The job.
        mint: Writes tickets for its rows.
        describe: Tells all about a job.
    """
    if job.answer_kind is not AnswerKind.ROWS and job.state is JobState.SUCCEEDED:
        job = replace(job, answer=profile_rows(describe(job.job_id), job.answer_kind))
    return update_to_proto(job, mint)


def profile_rows(details: JobDetails, kind: AnswerKind) -> bytes:
    """Returns the rows of EXPLAIN ANALYZE, and of its VERBOSE, as an Arrow IPC stream."""
    profile = JobProfile.from_proto(details_to_proto(details))
    in_full = kind is AnswerKind.FULL_PROFILE
    rows = [("stages", profile.to_text(verbose=in_full))]
    if in_full:
        rows.append(("profile", profile.to_json()))
    left = INLINE_ROWS_BYTES_MAX - _SPARE_BYTES
    for number, (name, text) in enumerate(rows):
        size = len(text.encode())
        if size > left:
            rows[number] = (name, f"(it has {size} bytes, too many for an answer: ask its job)")
        else:
            left -= size
    return stream_of(explanation(rows))
