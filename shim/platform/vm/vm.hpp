// SPDX-License-Identifier: Apache-2.0
//
// The plain VM: devices by port I/O, measurement registers in software. It boots what a TD boots,
// for development and tests, and proves nothing to anybody.
#pragma once

#include "shim/base/bytes.hpp"
#include "shim/base/error.hpp"

namespace tdshim::vm {

/// What reset leaves undone on a plain processor: caches on, write-back the default memory type.
void prepare_processor();

/// Serial port 0x3F8, 115200 baud, 8N1.
void open_console();
void print_character(char c);

/// Host bridge and power management of the q35 machine, when this is one.
void prepare_q35();

} // namespace tdshim::vm
