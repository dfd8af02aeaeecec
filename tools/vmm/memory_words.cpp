// SPDX-License-Identifier: Apache-2.0
#include "tools/vmm/memory_words.hpp"

#include <format>

namespace tdshim::vmm {
namespace {

/// "-numa node,memdev=...": QEMU takes two dashes for one.
bool has_nodes_with_memory(std::span<const std::string> words) {
    for (std::size_t i = 1; i < words.size(); ++i)
        if ((words[i - 1] == "-numa" || words[i - 1] == "--numa") && words[i].contains("memdev="))
            return true;
    return false;
}

} // namespace

std::vector<std::string> memory_words(std::uint64_t size, std::span<const std::string> more) {
    std::vector<std::string> words{"-m", std::format("{}B", size)};
    if (!has_nodes_with_memory(more))
        words.append_range(std::vector<std::string>{
            "-machine", "memory-backend=memory", "-object",
            std::format("memory-backend-ram,id=memory,reserve=off,size={}", size)});
    return words;
}

} // namespace tdshim::vmm
