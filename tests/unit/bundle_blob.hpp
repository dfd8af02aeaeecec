// SPDX-License-Identifier: Apache-2.0
//
// Bundles for tests, put together from the description of cpio's new ASCII format and from nothing
// of the code under test.
#pragma once

#include <array>
#include <cstdio>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/unit/support.hpp"

namespace tdshim::test {

inline const std::string good_manifest =
    "tdshim-bundle 1\ncommand-line refuse\ninitrd append\ntitle A test\n";

/// What an entry's header may say wrongly.
struct EntryOptions {
    std::string mode = "000081A4";
    std::string magic = "070701";
};

inline std::string digits(std::size_t value) {
    std::array<char, 9> text{};
    static_cast<void>(std::snprintf(text.data(), text.size(), "%08zX", value));
    return text.data();
}

inline void pad(Blob& blob) {
    blob.fill((4 - blob.size() % 4) % 4, 0);
}

inline Blob& add_entry(Blob& blob, std::string_view name, std::string_view contents,
                       const EntryOptions& options = {}) {
    const std::string zero = digits(0);
    blob.text(options.magic).text(zero).text(options.mode).text(zero).text(zero).text(digits(1));
    blob.text(zero).text(digits(contents.size())).text(zero).text(zero).text(zero).text(zero);
    blob.text(digits(name.size() + 1)).text(zero).text(name).u8(0);
    pad(blob);
    blob.text(contents);
    pad(blob);
    return blob;
}

inline Blob& add_trailer(Blob& blob) {
    return add_entry(blob, "TRAILER!!!", "", {.mode = "00000000"});
}

using Members = std::vector<std::pair<std::string, std::string>>;

inline Blob bundle_of(const Members& members) {
    Blob blob;
    for (const auto& [name, contents] : members)
        add_entry(blob, name, contents);
    return add_trailer(blob);
}

inline Members good_members() {
    return {{"manifest", good_manifest},
            {"kernel", "a kernel"},
            {"initrd", "an initrd of 19 byt"},
            {"cmdline", "console=ttyS0 quiet"},
            {"events", "RTMR2:string:a\n"}};
}

} // namespace tdshim::test
