"""What is checked here before it is sent, because it could not be sent at all."""

from springald.errors import InvalidArgumentError, PlanTooLargeError, SqlSyntaxError
from springald.limits import STATEMENT_BYTES_MAX
from springald.sql_text import has_words

__all__ = ["check_is_text", "check_name", "check_statement", "check_text", "no_statement"]


def check_is_text(text: object, what: str) -> None:
    """Checks that something is text at all; whether it can be sent is seen when it is.

    Raises:
        InvalidArgumentError: It is none.
    """
    if not isinstance(text, str):
        raise InvalidArgumentError(f"{what} is text: got a {type(text).__name__}")


def check_text(text: str, what: str) -> str:
    """Returns a text that can be sent.

    Example:
        >>> check_text("lineitem", "a table's name")
        'lineitem'

    Raises:
        InvalidArgumentError: It is no text, or holds half a character, which no encoding has.
    """
    check_is_text(text, what)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InvalidArgumentError(
            f"{what} is text that UTF-8 can encode: got {text[error.start]!r} as character "
            f"{error.start + 1}"
        ) from None
    return text


def check_name(name: str, what: str) -> str:
    """Returns a name that a plan can have.

    Raises:
        InvalidArgumentError: It is no text that can be sent, or empty.
    """
    if not check_text(name, what):
        raise InvalidArgumentError(f"{what} has a character at least: got an empty text")
    return name


def check_statement(statement: str) -> str:
    """Returns a statement that can be sent.

    Raises:
        InvalidArgumentError: It holds half a character.
        PlanTooLargeError: It is larger than a statement may be.
        SqlSyntaxError: There is nothing in it.
    """
    size = len(check_text(statement, "a statement").encode())
    if size > STATEMENT_BYTES_MAX:
        raise PlanTooLargeError(
            f"a statement has at most {STATEMENT_BYTES_MAX} bytes: got {size}; "
            "put long lists into a table and join with it"
        )
    if not has_words(statement):
        raise no_statement()
    return statement


def no_statement() -> SqlSyntaxError:
    """Returns the error for a text without a statement, the same wherever that is noticed."""
    return SqlSyntaxError("a statement has words: got none; write one, such as SELECT 1")
