// SPDX-License-Identifier: Apache-2.0
//
// The console's line about an input that was measured: people compare its digest with their file's.
#pragma once

#include <string_view>

#include "shim/base/line.hpp"
#include "shim/measure/measurement.hpp"

namespace tdshim::boot {

/// A digest on the console: all of it in a plain VM, where that is the only register there is; in a
/// TD, whose report and log have it, the first eight bytes, for each character is a call of the
/// VMM.
struct Shown {
    const crypto::Digest& digest;
};
Line& operator<<(Line& line, const Shown& shown);

/// Prints `what` it is, where it came from, its size and its digest.
void report(std::string_view what, std::string_view source, const measure::Measurement& measured);

} // namespace tdshim::boot
