"""Size: many joins, long lists, long expressions. An encoded plan may nest only so deep."""

from oracle.case import PARTITIONED, Case, themed


def _chain(tables: int, table: str, key: str) -> str:
    joins = "".join(
        f" JOIN {table} t{at} ON t{at}.{key} = t{at - 1}.{key}" for at in range(1, tables)
    )
    return f"SELECT t0.{key}, count(*) AS n FROM {table} t0{joins} GROUP BY t0.{key}"


_LIST = ", ".join(str(at) for at in range(0, 4000, 3))
_WORDS = ", ".join(f"'word{at}'" for at in range(2000))
_ORS = " OR ".join(f"(k = {at} AND q > {at * 7})" for at in range(12))
_SUMS = " + ".join(["q"] * 40)
_CASE = "CASE " + " ".join(f"WHEN q = {at} THEN {at * at}" for at in range(90)) + " ELSE -1 END"

CASES = themed(
    "depth",
    (
        Case(
            name="thirty_tables-broadcast",
            sql=_chain(30, "one_each", "id"),
            tables=("one_each",),
        ),
        Case(
            name="thirty_tables-partitioned",
            sql=_chain(30, "one_each", "id"),
            tables=("one_each",),
            settings=PARTITIONED,
        ),
        Case(
            name="sixty_tables-deeper_than_the_engine_decodes",
            sql=_chain(60, "one_each", "id"),
            tables=("one_each",),
            settings=PARTITIONED,
        ),
        Case(
            name="long_list",
            sql=f"SELECT g, count(*) AS n FROM facts WHERE id IN ({_LIST}) GROUP BY g",
            tables=("facts",),
        ),
        Case(
            name="long_list-negated",
            sql=f"SELECT id, s FROM facts WHERE id NOT IN ({_LIST}) ORDER BY id",
            tables=("facts",),
            order=(0,),
        ),
        Case(
            name="long_list-of_words",
            sql=f"SELECT count(*) AS n FROM facts WHERE s NOT IN ({_WORDS})",
            tables=("facts",),
        ),
        Case(
            name="many_alternatives",
            sql=f"SELECT g, count(*) AS n FROM facts WHERE {_ORS} GROUP BY g",
            tables=("facts",),
        ),
        Case(
            name="long_sum",
            sql=f"SELECT g, sum({_SUMS}) AS s FROM facts GROUP BY g",
            tables=("facts",),
        ),
        Case(
            name="long_case",
            sql=f"SELECT {_CASE} AS c, count(*) AS n FROM facts GROUP BY 1",
            tables=("facts",),
        ),
    ),
)
