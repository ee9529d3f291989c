"""How often people came to each city, and what they paid."""

import sys

import springald
from springald import col
from springald import functions as f


def main(url: str) -> None:
    """Asks the cluster, and prints a line for each city."""
    with springald.connect(url) as con:
        city = con.from_pydict({"id": [0, 1, 2], "name": ["Bern", "Oslo", "Riga"]})
        number = con.sql("SELECT value FROM generate_series(1, 300000)")
        visit = number.select(
            (col("value") % 3).alias("city_id"), (col("value") % 100).alias("paid")
        )
        paid = (
            visit.join(city, left_on="city_id", right_on="id")
            .aggregate("name", [f.count().alias("visits"), f.sum(col("paid")).alias("paid")])
            .sort("name")
        )
        print("name,visits,paid")
        for row in paid.to_pylist():
            print(*row.values(), sep=",")


if __name__ == "__main__":
    main(sys.argv[1])
