// SPDX-License-Identifier: Apache-2.0
//
// Text of a bundle that is taken apart from its front: the manifest and the events file.
#pragma once

#include <cstddef>
#include <string_view>

namespace tdshim::bundle {

/// What is left of a text, and where in its file that begins.
struct Rest {
    std::string_view text;
    std::size_t at = 0;

    /// Skips `word` if it stands there.
    [[nodiscard]] bool skip(std::string_view word) {
        if (!text.starts_with(word))
            return false;
        skip(word.size());
        return true;
    }
    void skip(std::size_t count) {
        text.remove_prefix(count);
        at += count;
    }
};

} // namespace tdshim::bundle
