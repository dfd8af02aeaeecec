// SPDX-License-Identifier: Apache-2.0
//
// QEMU's options for a machine's memory, beside those that the user gives.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace tdshim::vmm {

/// `size` in bytes. The host's memory is not reserved, so that a large machine starts on a small
/// host; where `more` names memory of NUMA nodes, QEMU wants no other, and it is as `more` has it.
[[nodiscard]] std::vector<std::string> memory_words(std::uint64_t size,
                                                    std::span<const std::string> more);

} // namespace tdshim::vmm
