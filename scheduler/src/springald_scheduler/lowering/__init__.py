"""Plans of `springald.plan.v1` become SQL that the engine plans.

`lower` takes a checked plan and a catalog, and gives back the text, the values that are bound to
it, and the tables that exist for this statement only. Why SQL: docs/adr/0016-plans-become-sql.md.
"""
