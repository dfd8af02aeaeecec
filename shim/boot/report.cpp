// SPDX-License-Identifier: Apache-2.0
#include "shim/boot/report.hpp"

#include "shim/platform/platform.hpp"

namespace tdshim::boot {

Line& operator<<(Line& line, const Shown& shown) {
    const Bytes bytes(shown.digest);
    return platform::is_td() ? line << bytes.first(8) << "..." : line << bytes;
}

void report(std::string_view what, std::string_view source, const measure::Measurement& measured) {
    platform::print((Line() << "tdshim: " << what << ": " << source << ", " << measured.hashed
                            << " bytes, sha384 " << Shown{measured.digest})
                        .text());
}

} // namespace tdshim::boot
