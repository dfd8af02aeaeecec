#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each claim of specs/threat-model.md names a test that exists."""

import pathlib
import re
import unittest

repository = pathlib.Path(__file__).resolve().parent.parent.parent


def known_tests():
    """Test cases, Class.test of Python, fuzzers, and tests that ctest alone knows."""
    names = set()
    for path in (repository / "tests").rglob("*_test.cpp"):
        for case in re.findall(r'TEST_CASE\(((?:\s*"[^"]*")+)', path.read_text()):
            names.add("".join(re.findall(r'"([^"]*)"', case)))
    for path in (repository / "tests").rglob("*_test.py"):
        test_class = None
        for line in path.read_text().splitlines():
            if found := re.match(r"class (\w+)\(", line):
                test_class = found[1]
            elif found := re.match(r"    def (test_\w+)\(", line):
                names.add(f"{test_class}.{found[1]}")
    names.update(re.findall(r"(?m)^fuzzer\((\w+)", (repository / "tests/fuzz/CMakeLists.txt").read_text()))
    processors = (repository / "tests/model/CMakeLists.txt").read_text()
    for name in re.findall(r'processors\("([^"]*)"', processors):
        names.update(f"processors: {name.replace('${count}', str(count))}" for count in (2, 3, 4))
    return names


class ThreatModel(unittest.TestCase):
    def test_each_claim_names_tests_that_exist(self):
        text = (repository / "specs/threat-model.md").read_text()
        _, claims = text.split("## What is claimed")
        rows = [row for row in claims.splitlines() if row.startswith("| ") and "---" not in row][1:]
        self.assertGreater(len(rows), 15)
        tests = known_tests()
        for row in rows:
            claim, named = row.strip("| ").split(" | ")
            with self.subTest(claim):
                self.assertIn("SHALL", claim)
                names = re.findall(r"`([^`]+)`", named)
                self.assertTrue(names, "names no test")
                self.assertEqual([name for name in names if name not in tests], [])

    def test_no_claim_stands_elsewhere(self):
        """Where it would need no test."""
        text = (repository / "specs/threat-model.md").read_text().split("## What is claimed")[0]
        lines = [line for line in text.splitlines() if "SHALL" in line]
        self.assertEqual([line for line in lines if "sentences with SHALL" not in line], [])


if __name__ == "__main__":
    unittest.main()
