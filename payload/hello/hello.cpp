// SPDX-License-Identifier: Apache-2.0
//
// The payload to begin with: prints one line, then what the HOBs say about the machine.
#include "payload/runtime/runtime.hpp"
#include "shim/formats/acpi/wire.hpp"

using namespace tdshim;

namespace {

std::string_view name_of(e820::Type type) {
    switch (type) {
    case e820::Type::memory: return "memory";
    case e820::Type::reserved: return "reserved";
    case e820::Type::acpi: return "ACPI";
    case e820::Type::nvs: return "NVS";
    case e820::Type::unusable: return "unusable";
    case e820::Type::unaccepted: return "not accepted";
    }
    return "of another type";
}

} // namespace

void runtime::run(const HobList& machine) {
    print(Line() << "hello from a payload in a " << (is_td() ? "TD" : "plain VM"));
    for (const e820::Entry& entry : machine.memory)
        print(Line() << "  " << Hex{entry.range.start().value} << " " << entry.range.size() / KiB
                     << " KiB " << name_of(entry.type));
    for (const Bytes table : machine.acpi_tables)
        if (const auto header = read_at<acpi::TableHeader>(table, 0))
            print(Line() << "  ACPI table " << std::string_view(header->signature) << ", "
                         << std::uint64_t{table.size()} << " bytes");
}
