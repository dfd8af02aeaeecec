#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Values of options, of every tool and subcommand by its --help: an empty one is refused where it says nothing, and a
number has one meaning or none."""

import re
import unittest

from support import TOOLS, ToolTest

SUBCOMMANDS = {"shim-bundle": ("create", "list", "verify"), "shim-guest": ("build", "verify"),
               "shim-hob": ("build", "print"),
               "shim-log": ("decode", "replay", "check"), "shim-sign": ("", "verify")}
# What may be the empty text: a command line, a word for QEMU.
MAY_BE_EMPTY = {("td-emu", "--append"), ("shim-measure", "--append"), ("shim-bundle create", "--append"), ("shim-guest build", "--append"), ("td-emu", "more"),
                ("shim-measure", "QEMU-ARGUMENTS")}
NUMBERS = {"shim-ld": {"--payload-address", "--td-info-version", "--td-info-svn"}, "shim-measure":
           {"--payload-entry", "--cpus", "--attributes", "--xfam"}, "shim-enroll": {"--min-svn"}, "shim-guest build": {"--cpus", "--svn", "--wait"}, "shim-sign": {"--svn", "--version"},
           "td-emu": {"--payload-entry", "--cpus", "--attributes", "--xfam"}}
SIZES = {"shim-ld": {"--payload-room", "--permanent-memory"}, "shim-hob build": {"--memory"}, "shim-check": {"--memory"},
         "shim-measure": {"--memory"}, "td-emu": {"--memory"}, "shim-guest build": {"--memory"}}
OPTION = re.compile(r"^ {2,4}(?:-\w,)?(--[\w-]+|[A-Z][A-Z.-]+|more) (?!Excludes:)([^ ]+)")
NO_NUMBERS = ("-1", "+1", "010000000", "0x", "0x10000000000000000", "18446744073709551616", "1x", "0X1", " 1", "1 ", "1.0", "one")


def all_commands():
    return [(tool, *filter(None, (sub,))) for tool in TOOLS for sub in SUBCOMMANDS.get(tool, ("",))]


class OptionsTest(ToolTest):
    def options(self, command):
        """Those that take a value and what --help calls it, and arguments."""
        return [match.groups() for line in self.good(*command, "--help").split("\nexample: ")[0].splitlines()
                if (match := OPTION.match(line))]

    def refused(self, command, name, value, arguments_before=0):
        words = (name, value) if name.startswith("--") else ("--", *("file",) * arguments_before, value)
        result = self.bad(*command, *words)
        self.assertTrue(result.stderr.startswith(f"{command[0]}: {name}: "), result.stderr)
        return result.stderr

    def test_an_empty_value_is_no_value(self):
        count = 0
        for command in all_commands():
            for index, (name, _) in enumerate(self.options(command)):
                if (" ".join(command), name) not in MAY_BE_EMPTY:
                    with self.subTest(command, name=name):
                        self.assertIn("is empty: expected a value; for none leave it out", self.refused(command, name, "", index))
                        if name.startswith("--"):
                            result = self.bad(*command, name + "=", "word")
                            self.assertTrue(result.stderr.startswith(f"{command[0]}: {name}: is empty"), result.stderr)
                        count += 1
        self.assertGreater(count, 80)

    def test_an_empty_command_line_is_one(self):
        for command, name in MAY_BE_EMPTY:
            for words in (("--append", ""), ("--append=",)) if name == "--append" else (("--", "file", ""),):
                with self.subTest(command, words=words):
                    self.assertNotIn("is empty", self.run_tool(*command.split(), *words).stderr)

    def test_a_number_has_no_sign_and_is_not_octal(self):
        for command, names in NUMBERS.items():
            for name in names:
                for value in NO_NUMBERS:
                    with self.subTest(command, name=name, value=value):
                        message = self.refused(command.split(), name, value)
                        self.assertRegex(message, r"expected a number from [01] to \d+, decimal or hexadecimal with 0x, found ")
                        self.assertIn(f'found "{value}"', message)
                self.refused(command.split(), name, "0x1ffffffff" if name in ("--cpus", "--td-info-svn", "--wait") else "-0")

    def test_a_size_likewise(self):
        for command, names in SIZES.items():
            for name in names:
                for value in (*NO_NUMBERS, "1MM", "010M", "0x10M", "16777216T", "M", "-1M"):
                    with self.subTest(command, name=name, value=value):
                        self.assertIn(f'expected a number of bytes, or one with K, M, G or T, such as 512M, found "{value}"',
                                      self.refused(command.split(), name, value))
                if name == "--memory":
                    self.assertIn("expected at least 1048576 bytes, found 512: without a unit it is bytes, with M MiB",
                                  self.refused(command.split(), name, "512"))
                    self.assertIn("expected whole units of 4096 bytes, found 1048577", self.refused(command.split(), name, "1048577"))

    def test_a_choice_is_one_of_its_words(self):
        count = 0
        for command in all_commands():
            for name, words in self.options(command):
                if "|" in words and name.startswith("--"):
                    for value in ("0", "1", words.split("|")[0] + "x", words):
                        with self.subTest(command, name=name, value=value):
                            self.assertIn(f'expected {words}, found "{value}"', self.refused(command, name, value))
                    count += 1
        self.assertGreater(count, 8)

    def test_no_number_is_read_in_another_way(self):
        for command in all_commands():
            for name, word in self.options(command):
                expected = "NUMBER" if name in NUMBERS.get(" ".join(command), ()) else \
                    "SIZE" if name in SIZES.get(" ".join(command), ()) else None
                with self.subTest(command, name=name):
                    self.assertNotRegex(word, "INT|FLOAT")
                    self.assertEqual(expected, word.split("=")[0].split(":")[0] if word.startswith(("NUMBER", "SIZE")) else None)


if __name__ == "__main__":
    unittest.main()
