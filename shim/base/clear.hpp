// SPDX-License-Identifier: Apache-2.0
//
// Memory made zero, by memset: a loop over bytes, which std::ranges::fill is here, takes thirty
// times as long.
#pragma once

#include <cstring>

#include "shim/base/bytes.hpp"

namespace tdshim {

inline void clear(MutableBytes bytes) {
    if (!bytes.empty())
        std::memset(bytes.data(), 0, bytes.size());
}

} // namespace tdshim
