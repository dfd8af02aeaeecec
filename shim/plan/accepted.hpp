// SPDX-License-Identifier: Apache-2.0
//
// How much of a TD's memory the shim accepts where it leaves the rest to the payload. It follows
// from sizes that a VMM announces before anybody knows which files will be read, so it is measured
// itself.
#pragma once

#include <cstdint>

#include "shim/base/line.hpp"

namespace tdshim::plan {

/// Bytes to accept, from the lowest address on, for files of these sizes in bytes: room for a
/// kernel to run in and for everything that is small, and twice the files, which may stand in
/// memory as they came and where they run. In steps, so that another build of a kernel hardly ever
/// means another register.
[[nodiscard]] constexpr std::uint64_t accepted_first(std::uint64_t kernel, std::uint64_t initrd) {
    constexpr std::uint64_t mib = std::uint64_t{1} << 20;
    constexpr std::uint64_t anyway = 448 * mib;
    constexpr std::uint64_t step = 64 * mib;
    return anyway + (2 * (kernel + initrd) + step - 1) / step * step;
}

/// What is measured of it, e.g. "lazy 512 MiB".
[[nodiscard]] inline Line text_of_accepted(std::uint64_t bytes) {
    return Line() << "lazy " << (bytes >> 20) << " MiB";
}

} // namespace tdshim::plan
