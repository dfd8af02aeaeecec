// SPDX-License-Identifier: Apache-2.0
//
// TDREPORTs and quotes: registers come out of them or an error, and nothing is read outside.
#include <cstdlib>

#include "tools/measurements/td_registers.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace tdshim;
    const Bytes bytes = std::as_bytes(std::span(data, size));
    for (const auto& registers :
         {tools::registers_of_report(bytes), tools::registers_of_quote(bytes)})
        if (registers && tools::td_info_hash(registers->info) == crypto::Digest{})
            std::abort();
    return 0;
}
