"""What is said of a column's name that fits none: scheduler/lowering/resolving."""

import pytest

from springald.errors import UnknownColumnError
from springald.plan.v1 import names_pb2
from springald_scheduler.lowering.model import Column, Surroundings, scope_of
from springald_scheduler.lowering.resolving import find


def refusal(name: str, *columns: str, qualifier: str | None = None) -> str:
    """What is said of a name over columns, each of which may have a qualifier and a dot."""
    split = [each.rpartition(".") for each in columns]
    scope = scope_of(
        tuple(Column(last, "c", first or None) for first, _, last in split), Surroundings()
    )
    with pytest.raises(UnknownColumnError) as caught:
        find(names_pb2.ColumnName(name=name, qualifier=qualifier), scope, "e1")
    return caught.value.message.partition(": got ")[2]


def test_column_that_is_not_there_is_told_with_the_name_that_is_like_it() -> None:
    """The likeliest name is guessed, whatever its case; none if none is like it."""
    assert refusal("nme", "city", "name") == "'nme'; did you mean 'name'? there are city, name"
    assert refusal("AGE", "city", "Age") == "'AGE'; did you mean 'Age'? there are city, Age"
    assert refusal("zz", "city", "name") == "'zz'; there are city, name"
    assert refusal("zz") == "'zz'; there are none"


def test_columns_are_told_with_qualifiers_where_those_are_used_or_needed() -> None:
    """A qualifier stands where the wrong name had one, or where it tells two columns apart."""
    assert refusal("c", "t.a", "u.a", "t.x").endswith("there are t.a, u.a, x")
    found = refusal("nme", "t.name", "u.name", qualifier="u")
    assert found == "u.nme; did you mean 'u.name'? there are t.name, u.name"


def test_names_that_clients_make_up_are_not_told() -> None:
    """P8.9: messages leave out qualifiers and columns that nobody wrote."""
    own = ("__springald_1.a", "__springald_2.a", "__springald_2.b", "__springald_right_0")
    assert refusal("zz", *own) == "'zz'; there are a, b"
    assert refusal("zz", *own, qualifier="t") == "t.zz; there are a, b"


def test_many_columns_are_told_in_part() -> None:
    """A message names some columns and counts the others; the guess is from all of them."""
    found = refusal("c29_", *(f"c{number}" for number in range(30)))
    assert found.startswith("'c29_'; did you mean 'c29'? there are c0, c1, ")
    assert found.endswith("c19 and 10 more")
