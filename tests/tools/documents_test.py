#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The documents hold together: what they link to and the files that they name exist, and README.md stays short."""

import pathlib
import re
import sys
import unittest

repository = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(repository / "tests/vm"))

import suite

DOCUMENTS = [*sorted(repository.glob("*.md")), *sorted((repository / "specs").glob("*.md"))]


def anchors_of(document):
    """As renderers of Markdown make them of headings."""
    headings = re.findall(r"^#+ (.*)$", document.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


class Documents(unittest.TestCase):
    def test_links_lead_somewhere(self):
        for document in DOCUMENTS:
            for target in re.findall(r"\]\(([^)\s]+)\)", document.read_text()):
                name, _, anchor = target.partition("#")
                found = document.parent / name if name else document
                self.assertTrue(found.exists(), f"{document.name} links to {target}")
                if anchor:
                    self.assertIn(anchor, anchors_of(found), f"{document.name} links to {target}")

    def test_files_that_are_named_exist(self):
        of_repository = r"`((?:shim|tools|resetvector|payload|linker|tests|launch|cmake|specs)/[\w./-]+)`"
        for document in DOCUMENTS:
            for name in re.findall(of_repository, document.read_text()):
                self.assertTrue((repository / name).exists(), f"{document.name} names {name}")

    def test_readme_is_short(self):
        self.assertLessEqual(len((repository / "README.md").read_text().splitlines()), 120)

    def test_no_document_is_forgotten(self):
        linked = set()
        for document in DOCUMENTS:
            linked |= {(document.parent / target.partition("#")[0]).resolve()
                       for target in re.findall(r"\]\(([^)\s]+)\)", document.read_text())}
        self.assertEqual([document.name for document in DOCUMENTS if document not in linked and document.name != "README.md"], [])


if __name__ == "__main__":
    suite.main()
