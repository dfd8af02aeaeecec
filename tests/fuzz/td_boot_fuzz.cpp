// SPDX-License-Identifier: Apache-2.0
//
// Whole boots of a TD by the real code down to TDCALL, against a VMM that the fuzzer leads. The
// input: a byte for the kind of TD, then pieces, each a byte that says what it spoils: an answer to
// a TDVMCALL (number, register, value), the acceptance of a page (page, status), a page itself,
// which the VMM removes and adds again before a call of the module, or bytes of the TD HOB or of a
// fw_cfg item (offset, length, bytes; a length of zero cuts it off there). Every boot ends in Linux
// or in a refusal that the VMM is told of, breaks none of the machine's rules, and has a log that
// leads to the module's registers.
#include <cstdio>
#include <cstdlib>

#include "shim/memory/layout.hpp"
#include "tests/native/inputs.hpp"
#include "tests/native/logged.hpp"
#include "tools/tdx-model/registers.hpp"

namespace {

using namespace tdshim;

constexpr std::array file_names{"etc/table-loader",       "etc/acpi/tables",
                                "etc/acpi/rsdp",          "opt/org.tdshim/kernel",
                                "opt/org.tdshim/cmdline", "opt/org.tdshim/initrd"};
constexpr std::uint8_t spoils_call = file_names.size() + 1;
constexpr std::uint8_t spoils_acceptance = spoils_call + 1;
constexpr std::uint8_t readds_page = spoils_acceptance + 1;
constexpr std::uint8_t kinds_of_piece = readds_page + 1;

struct CallPiece {
    le16 number;
    std::uint8_t index; ///< counted from R10
    std::uint8_t value; ///< one of the interesting ones, or itself
    le64 more;
};
struct AcceptancePiece {
    le16 page;
    le64 status;
};
struct ReaddedPiece {
    le16 page;
    le16 number; ///< of the call of the module before which it goes
};
struct FilePiece {
    le16 offset;
    std::uint8_t length;
};

/// Values by which a VMM may mislead: statuses, the window's addresses with and without shared bit.
std::uint64_t interesting(std::uint8_t choice, std::uint64_t more) {
    const std::uint64_t window = layout::shared_window.start().value;
    const std::uint64_t bit = std::uint64_t{1} << 51;
    switch (choice % 12) {
    case 0: return 0;
    case 1: return 1; // TDVMCALL's "retry"
    case 2: return 0x8000'0000'0000'0000;
    case 3: return ~std::uint64_t{0};
    case 4: return window;
    case 5: return window | bit;
    case 6: return window + page_size * (more % 65);
    case 7: return (window + page_size * (more % 65)) | bit;
    case 8: return layout::shared_window.end().value | bit;
    default: return more;
    }
}

void spoil_file(native::Blob& file, Reader& reader) {
    const auto piece = reader.take<FilePiece>();
    if (!piece || piece->offset > file.size())
        return;
    const auto bytes = reader.take_bytes(std::min<std::size_t>(piece->length, reader.left()));
    if (piece->length == 0)
        file.resize(piece->offset);
    else
        for (std::size_t i = 0; i < bytes->size() && piece->offset + i < file.size(); ++i)
            file[piece->offset + i] = (*bytes)[i];
}

void apply(native::Machine& machine, native::Blob& hob, Reader& reader) {
    while (const auto kind = reader.take<std::uint8_t>()) {
        const std::uint8_t what = *kind % kinds_of_piece;
        if (what == spoils_call) {
            if (const auto piece = reader.take<CallPiece>())
                machine.spoil_call({.number = piece->number % 512U,
                                    .index = tdx_model::r10 + piece->index % 6U,
                                    .value = interesting(piece->value, piece->more)});
        } else if (what == spoils_acceptance) {
            if (const auto piece = reader.take<AcceptancePiece>())
                machine.answer_acceptance({piece->page * page_size}, tdx::Status{piece->status});
        } else if (what == readds_page) {
            if (const auto piece = reader.take<ReaddedPiece>())
                machine.readd_page({{piece->page * page_size}, piece->number});
        } else if (what == file_names.size()) {
            spoil_file(hob, reader);
        } else {
            spoil_file(machine.file(file_names[what]), reader);
        }
    }
}

/// Taken away before the boot wrote its first event, it leaves nothing to read.
bool is_of_log(Gpa page) {
    return layout::event_log.start() <= page && page < layout::event_log.end();
}

bool is_right(native::Machine& machine, const native::Outcome& outcome) {
    if (!outcome.findings.empty())
        return false;
    if (outcome.untaken_page) // that a HOB calls added and that was not, or that the VMM took away
        return !outcome.linux &&
               (is_of_log({*outcome.untaken_page}) || native::log_leads_to_registers(machine));
    if (outcome.linux)
        return outcome.refusal().empty() && outcome.fatal_error.empty() &&
               native::log_leads_to_registers(machine);
    if (outcome.fatal_error.empty())
        return false;
    // A VMM that never shared the console's port may have kept the reason from it; the log has it.
    return native::log_leads_to_registers(machine);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    native::Machine machine;
    native::add_good_inputs(machine);
    machine.remove_file("etc/e820");
    native::Blob hob = native::td_hob({{hob::ResourceType::memory_unaccepted, 0, 32 * MiB}});
    Reader reader(std::as_bytes(std::span(data, size)));
    const std::uint8_t kind = reader.take<std::uint8_t>().value_or(std::uint8_t{0});
    apply(machine, hob, reader);
    machine.make_td(hob, kind % 4 == 0 ? 48 : kind % 4 == 1 ? 53 : 52);
    machine.grant_large_pages((kind & 8) == 0);
    const native::Outcome outcome = machine.boot();
    if (!is_right(machine, outcome)) {
        for (const auto* lines : {&outcome.console, &outcome.findings})
            for (const std::string& line : *lines)
                std::fprintf(stderr, "%s\n", line.c_str());
        std::fprintf(stderr, "fatal error: %s\n", outcome.fatal_error.c_str());
        std::abort();
    }
    return 0;
}
