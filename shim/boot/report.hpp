// SPDX-License-Identifier: Apache-2.0
//
// The console's line about an input that was measured: people compare its digest with their file's.
#pragma once

#include <string_view>

#include "shim/measure/measurement.hpp"

namespace tdshim::boot {

/// Prints `what` it is, where it came from, its size and its digest.
void report(std::string_view what, std::string_view source, const measure::Measurement& measured);

} // namespace tdshim::boot
