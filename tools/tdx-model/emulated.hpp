// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace tdshim::tdx_model {

/// "EMULATED" over and over: where a processor's keys and figures would be.
template <std::size_t Size>
[[nodiscard]] constexpr std::array<std::byte, Size> emulated() {
    constexpr std::string_view text = "EMULATED";
    std::array<std::byte, Size> bytes{};
    for (std::size_t i = 0; i < Size; ++i)
        bytes[i] = std::byte(static_cast<unsigned char>(text[i % text.size()]));
    return bytes;
}

} // namespace tdshim::tdx_model
