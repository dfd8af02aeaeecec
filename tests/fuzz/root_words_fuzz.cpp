// SPDX-License-Identifier: Apache-2.0
//
// What stage 1 reads. Command lines: one that names a root file system names it once, and what it
// says is written and read again as the same. Descriptions of processes: likewise.
#include <cstdlib>
#include <string_view>

#include "launch/guest/stage1/process.hpp"
#include "launch/guest/stage1/root_words.hpp"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    using namespace tdshim::guest;
    const std::string_view line(reinterpret_cast<const char*>(data), size);
    const auto process = process_of(std::string(process_magic) + std::string(line));
    if (process && process_of(text_of(*process)) != process)
        std::abort();
    const auto root = root_of(line);
    if (!root) {
        if (root.error().empty())
            std::abort();
        return 0;
    }
    const std::string words = words_of(*root);
    const auto again = root_of(words);
    if (!again || words_of(*again) != words || root_of(std::string(line) + " " + words))
        std::abort();
    static_cast<void>(table_of(root->verity, "/dev/vda", true));
    return 0;
}
