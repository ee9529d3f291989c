"""Tickets open what they name, for whom the cluster signed them, until they end (P5.2)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from springald.errors import TicketExpiredError, TicketInvalidError
from springald.executor.v1.executor_pb2 import (
    OutputSelection,
    ReadOutputs,
    ReadUpload,
    SignedTicket,
    StoreUpload,
    TicketClaims,
)
from springald.tickets import sign, verify

KEY = bytes(range(32))
OTHER_KEY = bytes(range(1, 33))

names = st.text(max_size=20)
grants = st.one_of(
    names.map(lambda name: TicketClaims(store_upload=StoreUpload(upload_id=name))),
    names.map(lambda name: TicketClaims(read_upload=ReadUpload(upload_id=name))),
    st.builds(
        lambda job, tasks: TicketClaims(
            read_outputs=ReadOutputs(
                job_id=job,
                selections=[OutputSelection(task_id=task, partition=3) for task in tasks],
            )
        ),
        names,
        st.lists(names, max_size=3),
    ),
)


def _claims(expires_ms: int = 1_000) -> TicketClaims:
    return TicketClaims(expires_ms=expires_ms, read_upload=ReadUpload(upload_id="u1"))


@given(claims=grants, expires_ms=st.integers(1, 2**63), key=st.binary(min_size=32, max_size=32))
def test_verify_before_the_end_returns_what_was_signed(
    claims: TicketClaims, expires_ms: int, key: bytes
) -> None:
    """A ticket shown in time gives back its claims unchanged."""
    claims.expires_ms = expires_ms

    assert verify(sign(claims, key), key, expires_ms - 1) == claims


@pytest.mark.parametrize("late_ms", [0, 1, 10**9])
def test_verify_at_its_end_and_later_is_expired(late_ms: int) -> None:
    """A ticket is valid strictly before the time that it states."""
    with pytest.raises(TicketExpiredError):
        verify(sign(_claims(), KEY), KEY, 1_000 + late_ms)


def test_verify_with_another_key_is_invalid_even_when_expired() -> None:
    """A ticket of another cluster is refused for its seal, whatever else is wrong with it."""
    with pytest.raises(TicketInvalidError, match="another signature"):
        verify(sign(_claims(), OTHER_KEY), KEY, 2_000)


@given(st.data())
def test_verify_with_any_bit_flipped_is_refused(data: st.DataObject) -> None:
    """No changed ticket opens anything."""
    ticket = bytearray(sign(_claims(), KEY))
    bit = data.draw(st.integers(0, len(ticket) * 8 - 1))
    ticket[bit // 8] ^= 1 << bit % 8

    with pytest.raises(TicketInvalidError):
        verify(bytes(ticket), KEY, 0)


@given(st.binary(max_size=60))
def test_verify_of_noise_is_invalid(noise: bytes) -> None:
    """Bytes that nobody signed are an invalid ticket and never another error."""
    with pytest.raises(TicketInvalidError):
        verify(noise, KEY, 0)


def test_verify_without_a_grant_is_invalid() -> None:
    """A genuine ticket that opens nothing is refused, not taken to open everything."""
    with pytest.raises(TicketInvalidError, match="grants something"):
        verify(sign(TicketClaims(expires_ms=1_000), KEY), KEY, 0)


def test_verify_without_a_signature_is_invalid() -> None:
    """An absent signature is a wrong one."""
    bare = SignedTicket(claims=_claims().SerializeToString()).SerializeToString()

    with pytest.raises(TicketInvalidError):
        verify(bare, KEY, 0)


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_sign_with_a_key_of_another_length_is_refused(length: int) -> None:
    """A short key would be a weak seal; it is a mistake of the program, not of a caller."""
    with pytest.raises(ValueError, match="32 bytes"):
        sign(_claims(), bytes(length))
