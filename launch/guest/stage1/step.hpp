// SPDX-License-Identifier: Apache-2.0
//
// What stage 1 could not do, as a value. It has nobody to ask and nothing to fall back on: the
// first failure is printed, and the kernel panics because its init ends.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "shim/base/error.hpp" // TRY

namespace tdshim::stage1 {

template <class T = void>
using Step = std::expected<T, std::string>;

/// "TEXT: what the operating system says to errno".
[[nodiscard]] std::unexpected<std::string> system_error(std::string_view text);

} // namespace tdshim::stage1
