"""What a scalar subquery of three rows gives, in the two ways to plan it (ADR 0010)."""

from typing import Final

from datafusion import SessionConfig, SessionContext

SETTING: Final = "datafusion.optimizer.enable_physical_uncorrelated_scalar_subquery"
STATEMENTS: Final = (
    "SELECT (SELECT l_orderkey FROM lineitem)",
    "SELECT l_orderkey FROM lineitem WHERE l_orderkey = (SELECT l_orderkey FROM lineitem)",
)


def main() -> None:
    """Prints a line a statement and way."""
    for operator in ("true", "false"):
        context = SessionContext(SessionConfig().set(SETTING, operator))
        context.from_pydict({"l_orderkey": [1, 2, 3]}, name="lineitem")
        for statement in STATEMENTS:
            way = "as an operator" if operator == "true" else "as a join"
            print(f"{way}: {statement}: {_outcome(context, statement)}")


def _outcome(context: SessionContext, statement: str) -> str:
    try:
        return f"{context.sql(statement).to_arrow_table().num_rows} rows"
    except Exception as error:  # noqa: BLE001 - the engine raises bare exceptions
        return str(error)


if __name__ == "__main__":
    main()
