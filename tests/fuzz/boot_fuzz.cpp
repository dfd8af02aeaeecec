// SPDX-License-Identifier: Apache-2.0
//
// Whole boots in a host process, with inputs of the VMM spoiled by the fuzzer. The input is a list
// of patches to well-formed inputs: which file, where, how many bytes, the bytes; a length of zero
// cuts the file off there. Every boot ends in a payload or in a refusal, and breaks none of the
// machine's rules.
#include <array>
#include <cstdlib>

#include "shim/formats/event_log/reader.hpp"
#include "shim/memory/layout.hpp"
#include "tests/native/inputs.hpp"

namespace {

using namespace tdshim;

constexpr std::array file_names{"etc/e820",
                                "etc/table-loader",
                                "etc/acpi/tables",
                                "etc/acpi/rsdp",
                                "opt/org.tdshim/kernel",
                                "opt/org.tdshim/cmdline",
                                "opt/org.tdshim/initrd"};

struct Patch {
    std::uint8_t file;
    le16 offset;
    std::uint8_t length;
};

void apply(native::Machine& machine, Bytes patches) {
    Reader reader(patches);
    while (const auto patch = reader.take<Patch>()) {
        const auto bytes = reader.take_bytes(std::min<std::size_t>(patch->length, reader.left()));
        native::Blob& file = machine.file(file_names[patch->file % file_names.size()]);
        if (patch->offset > file.size())
            continue;
        if (patch->length == 0)
            file.resize(patch->offset);
        else
            for (std::size_t i = 0; i < bytes->size() && patch->offset + i < file.size(); ++i)
                file[patch->offset + i] = (*bytes)[i];
    }
}

/// Whether the log in memory replays to the machine's registers.
bool log_is_true(native::Machine& machine) {
    auto reader = event_log::LogReader::open(
        machine.memory(layout::event_log.start(), layout::event_log.size()));
    if (!reader)
        return false;
    measure::RegisterBank replayed;
    int separators = 0;
    while (true) {
        const auto event = reader->next();
        if (!event)
            return false;
        if (!*event)
            break;
        separators += (*event)->type == event_log::EventType::separator ? 1 : 0;
        if (!replayed.extend((*event)->mr_index - 1, (*event)->digest))
            return false;
    }
    return separators == 2 && replayed.value(0) == machine.registers().value(0) &&
           replayed.value(1) == machine.registers().value(1);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    native::Machine machine;
    native::add_good_inputs(machine);
    apply(machine, std::as_bytes(std::span(data, size)));
    const native::Outcome outcome = machine.boot();
    if (!outcome.findings.empty() || outcome.linux.has_value() != outcome.refusal().empty() ||
        !log_is_true(machine))
        std::abort();
    return 0;
}
