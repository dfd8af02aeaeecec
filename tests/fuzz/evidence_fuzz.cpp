// SPDX-License-Identifier: Apache-2.0
//
// Evidence as a guest sends it, and messages of a quoting service's.
#include <cstdlib>

#include "tools/attestation/evidence.hpp"
#include "tools/quoting/service_messages.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace tdshim;
    const Bytes bytes = std::as_bytes(std::span(data, size));
    if (const auto evidence = tools::parse_evidence("evidence", bytes))
        static_cast<void>(tools::verdict_on(*evidence, {}));
    if (const auto report = quoting::report_of_request(bytes))
        if (quoting::report_of_request(quoting::quote_request(*report)) != *report)
            std::abort();
    if (const auto quote = quoting::quote_of_response(bytes))
        if (quoting::quote_of_response(quoting::quote_response(*quote)) != *quote)
            std::abort();
    return 0;
}
