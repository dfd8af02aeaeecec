// SPDX-License-Identifier: Apache-2.0
#include "shim/boot/report.hpp"

#include "shim/base/line.hpp"
#include "shim/platform/platform.hpp"

namespace tdshim::boot {

void report(std::string_view what, std::string_view source, const measure::Measurement& measured) {
    platform::print((Line() << "tdshim: " << what << ": " << source << ", " << measured.hashed
                            << " bytes, sha384 " << Bytes(measured.digest))
                        .text());
}

} // namespace tdshim::boot
