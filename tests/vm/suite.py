# SPDX-License-Identifier: Apache-2.0
"""How a test script runs: by itself with all its tests, or with the names of some, as ctest does, for
which --list prints every name. A run in which all was skipped ends with settings.skipped."""

import argparse
import itertools
import os
import pathlib
import sys
import tempfile
import unittest

import settings


def names_of(tests):
    for test in tests:
        if isinstance(test, unittest.TestSuite):
            yield from names_of(test)
        else:
            yield test.id().split(".", 1)[1]


def add_cases(case, check, table):
    """Gives a TestCase one test for each entry of a table: name -> arguments of `check(self, ...)`."""
    for name, arguments in table.items():
        def test(self, arguments=arguments):
            check(self, *arguments)
        test.__name__ = f"test_{name}"
        setattr(case, test.__name__, test)


def every_three(*properties):
    """Of all combinations of one value of each property, so many that every three values of three properties meet in
    one, and all of them where TDSHIM_ALL_COMBINATIONS is set. Always the same ones."""
    every = list(itertools.product(*properties))
    if os.environ.get("TDSHIM_ALL_COMBINATIONS"):
        return every

    def triples(combination):
        return set(itertools.combinations(enumerate(combination), 3))

    missing = set().union(*map(triples, every))
    chosen = []
    while missing:
        chosen.append(max(every, key=lambda combination: len(missing & triples(combination))))
        missing -= triples(chosen[-1])
    return chosen


def temporary_folder(test):
    """A folder that goes with the test."""
    folder = tempfile.TemporaryDirectory(prefix="tdshim-vm-")
    test.addCleanup(folder.cleanup)
    return pathlib.Path(folder.name)


def main(module="__main__"):
    options = argparse.ArgumentParser(description=sys.modules[module].__doc__)
    options.add_argument("--list", action="store_true", help="print the names of the tests and end")
    options.add_argument("names", nargs="*", help="of the tests to run; all by default")
    chosen = options.parse_args()
    loader = unittest.defaultTestLoader
    every = loader.loadTestsFromModule(sys.modules[module])
    if chosen.list:
        print("\n".join(names_of(every)))
        return
    wanted = loader.loadTestsFromNames(chosen.names, sys.modules[module]) if chosen.names else every
    result = unittest.TextTestRunner(verbosity=2).run(wanted)
    if result.testsRun == 0 or not result.wasSuccessful():
        sys.exit(1)
    for _, reason in result.skipped:
        print(f"SKIP: {reason}")
    if len(result.skipped) == result.testsRun:
        sys.exit(settings.skipped)
