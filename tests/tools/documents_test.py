#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The documents hold together: what they link to and the files that they name exist, and README.md stays short. The
numbers of image-format.md are those of shim/memory/layout.hpp."""

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


def number_of(text):
    """Of "11 MiB + 128 KiB", "0x20" or C++'s "11 * MiB + 128 * KiB"; nothing where it is no number."""
    plain = re.sub(r"(\d) +\*? *([KMG]iB)", r"\1*\2", text.strip())
    if not re.fullmatch(r"[\d.x a-fA-FKMGiB*+-]+", plain) or not plain[0].isdigit():
        return None
    return int(eval(plain, {"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}))  # digits and units alone


def layout():
    """What layout.hpp names: (start, size) of ranges, values of numbers."""
    text = (repository / "shim/memory/layout.hpp").read_text()
    ranges = {name: (number_of(start), number_of(size)) for name, start, size in re.findall(
        r"constexpr auto (\w+) = GpaRange::of<([^,;]+), ([^>;]+)>\(\);", text)}
    numbers = {name: number_of(value) for name, value in re.findall(r"constexpr std::uint64_t (\w+) = ([^;]+);", text)}
    return ranges, numbers


def rows_of(heading):
    """The cells of image-format.md's tables below a heading."""
    text = (repository / "specs/image-format.md").read_text()
    section = re.search(rf"^## {heading}$(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)[1]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if line.startswith("| ")]


class Documents(unittest.TestCase):
    def test_the_memory_of_the_layout_is_described(self):
        ranges, numbers = layout()
        described = {(number_of(row[0]), number_of(row[1])) for row in rows_of("Memory")}
        wanted = {name: ranges[name] for name in ("video_memory", "shim_code", "shim_data", "td_hob", "event_log", "mailbox",
                                                  "shared_window")}
        wanted["image"] = (numbers["image_end"] - numbers["max_image_size"], numbers["max_image_size"])
        for name, memory in wanted.items():
            self.assertIn(memory, described, name)
        low = {(0, 640 << 10), (768 << 10, 256 << 10)}
        self.assertEqual({memory for memory in described if None not in memory} - set(wanted.values()), low)

    def test_the_sections_are_those_of_the_layout(self):
        ranges, _ = layout()
        described = {tuple(number_of(part) for part in row[2].split(":")[0].split(","))
                     for row in rows_of("TDX metadata") if row[0] in ("TempMem", "TD_HOB")}
        self.assertEqual(described, {ranges[name] for name in ("shim_code", "shim_data", "mailbox", "td_hob", "event_log")})

    def test_sizes_are_those_of_the_layout(self):
        _, numbers = layout()
        text = (repository / "specs/image-format.md").read_text()
        for name, sentence in (("min_image_size", "an image without payload has {}"), ("image_granule", "of {} up to"),
                               ("max_image_size", "up to {}, which"), ("cfv_size", "| image size | {} | configuration volume"),
                               ("shim_rom_size", "| {} | the shim: code"), ("reset_vector_size", "| {} | 28 KiB | the first page")):
            value = numbers[name]
            shown = f"{value >> 20} MiB" if value % (1 << 20) == 0 else f"{value >> 10} KiB"
            self.assertIn(sentence.format(shown), text, name)

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
