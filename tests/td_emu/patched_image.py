# SPDX-License-Identifier: Apache-2.0
"""The image with other instructions at a place of the shim, run in td-emu."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "vm"))

import settings
import suite
import td_emu
from shim_places import symbols

shim_code, shim_in_image = 0x800000, 0x10000  # in memory, and in the image


def run_with(test, symbol, code, *options):
    """Runs the image with these instructions in it. Also returns the place where they stand."""
    place = symbols()[symbol]
    image = bytearray(settings.image().read_bytes())
    at = place - shim_code + shim_in_image
    image[at:at + len(code)] = code
    file = suite.temporary_folder(test) / "final.bin"
    file.write_bytes(image)
    return place, td_emu.Run("--memory", "256M", *options, image=file, timeout=100)
