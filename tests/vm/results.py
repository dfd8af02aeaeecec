# SPDX-License-Identifier: Apache-2.0
"""What the tests of a script leave in the folder for results, and the table that the script's last test makes of
it."""

import json

import settings


def keep(test, suffix, text):
    """A file named after the test, when anybody wants one."""
    folder = settings.results()
    if folder:
        (folder / f"{_name_of(test)}.{suffix}").write_text(text)


def keep_row(test, row):
    """`row`: column -> what stands there."""
    keep(test, "json", json.dumps(row))


def rows_of(case, cells):
    """The rows that the tests of `case` for `cells` have kept."""
    folder = settings.results()
    files = [folder / f"{case.__name__}.test_{cell}.json" for cell in cells] if folder else []
    return [json.loads(file.read_text()) for file in files if file.exists()]


def table(rows):
    """In Markdown."""
    lines = [rows[0], ["---"] * len(rows[0]), *(map(str, row.values()) for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def print_table(test, case, cells):
    """The same rows; `test` is skipped when there are none. Returns them."""
    rows = rows_of(case, cells)
    if not rows:
        test.skipTest("there are no results")
    print(f"\n{table(rows)}")
    return rows


def _name_of(test):
    return ".".join(test.id().split(".")[-2:])
