"""A client process: starts its queries at once, and checks that each answer is its own."""

import sys

import springald


def main(url: str, numbers: str, number: int, queries: int, seed: int) -> int:
    """Prints how many were answered right, or what was not; returns 1 then."""
    with springald.connect(url) as con:
        con.register_parquet("numbers", numbers)
        print("ready", flush=True)  # noqa: T201 - all begin at once
        sys.stdin.readline()
        jobs = []
        for query in range(queries):
            wanted = (seed + 977 * number + 31 * query) % 4_000
            sql = (
                f"SELECT id, {number} AS client, {query} AS query FROM numbers WHERE id = {wanted}"
            )
            jobs.append((con.sql(sql).execute(), wanted, query))
        right = 0
        for job, wanted, query in jobs:
            got = job.result().to_pydict()
            if got != {"id": [wanted], "client": [number], "query": [query]}:
                print(f"query {query} of client {number} wants {wanted}: got {got}")  # noqa: T201
                return 1
            right += 1
    print(right)  # noqa: T201
    return 0


if __name__ == "__main__":
    where, table, *counts = sys.argv[1:]
    sys.exit(main(where, table, *map(int, counts)))
