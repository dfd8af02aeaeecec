// SPDX-License-Identifier: Apache-2.0
//
// SMBIOS tables: what is taken is walked once more, as Linux walks it, and leads from structure to
// structure to the end and not beyond.
#include <cstdint>
#include <cstdlib>

#include "shim/formats/smbios/tables.hpp"

namespace {

void require(bool holds) {
    if (!holds)
        std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace tdshim;
    const Bytes tables = std::as_bytes(std::span(data, size));
    const auto count = smbios::check_tables(tables);
    if (!count)
        return 0;
    std::size_t at = 0;
    for (std::size_t i = 0; i < *count; ++i) {
        require(at + 4 <= size && (data[at] == 127) == (i + 1 == *count));
        at += data[at + 1];
        while (at + 1 < size && (data[at] != 0 || data[at + 1] != 0))
            ++at;
        at += 2;
    }
    require(at == size);
    return 0;
}
