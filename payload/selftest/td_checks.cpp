// SPDX-License-Identifier: Apache-2.0
//
// What only a TD has: reports and runtime measurement registers, memory that is shared with the VMM
// and taken back, processors behind the wakeup mailbox.
#include <algorithm>
#include <atomic>
#include <cstring>

#include "payload/runtime/acpi.hpp"
#include "payload/runtime/event_log.hpp"
#include "payload/runtime/measurement.hpp"
#include "payload/runtime/processors.hpp"
#include "payload/selftest/checks.hpp"
#include "shim/crypto/sha384.hpp"
#include "shim/formats/acpi/wire.hpp"
#include "shim/formats/event_log/reader.hpp"
#include "shim/memory/acceptance.hpp"
#include "shim/platform/td/tdcall.hpp"
#include "shim/platform/td/tdvmcall.hpp"
#include "shim/platform/x86/address_space.hpp"
#include "shim/platform/x86/instructions.hpp"

namespace tdshim::selftest {
namespace {

constexpr std::uint32_t chosen_rtmr = 3;

tdx::ReportData report_data() {
    tdx::ReportData data{};
    for (std::size_t i = 0; i < data.size(); ++i)
        data[i] = static_cast<std::byte>(i ^ 0xA5);
    return data;
}

void check_report(Checks& checks) {
    constexpr std::uint8_t type_of_a_td = 0x81;
    const auto report = td::read_report(report_data());
    checks.check("report: the module gives one", report);
    if (!report)
        return;
    checks.check("report: is a TD's", (*report)->report_mac.type == type_of_a_td);
    checks.check("report: has the report data", (*report)->report_mac.report_data == report_data());
    checks.check("report: has the hash of its TD information",
                 (*report)->report_mac.tee_info_hash ==
                     crypto::sha384(bytes_of((*report)->td_info)));
    constexpr crypto::Digest zero{};
    checks.check("report: MRTD, RTMR[0] and RTMR[1] are not zero",
                 (*report)->td_info.mrtd != zero && (*report)->td_info.rtmr[0] != zero &&
                     (*report)->td_info.rtmr[1] != zero);
}

/// Whether the event log's last event is one of `chosen_rtmr` with this data.
bool ends_with(const runtime::HobList& machine, std::string_view data) {
    const auto ccel = read_at<acpi::Ccel>(machine.find_table("CCEL").value_or(Bytes{}), 0);
    if (!ccel)
        return false;
    auto reader = event_log::LogReader::open(
        {x86::pointer_to({std::uint64_t{ccel->log_address}}), ccel->log_length});
    event_log::Event last;
    while (reader) {
        const auto event = reader->next();
        if (!event || !*event)
            break;
        last = **event;
    }
    return last.mr_index == event_log::mr_index_of_rtmr(chosen_rtmr) &&
           last.digest == runtime::digest_of_event(bytes_of(data)) &&
           last.digest == crypto::sha384(last.data) &&
           std::ranges::equal(last.data.last(data.size()), bytes_of(data));
}

void check_extension(Checks& checks, const runtime::HobList& machine) {
    const auto before = td::read_rtmr(chosen_rtmr);
    constexpr std::string_view event = "selftest";
    const crypto::Digest digest = runtime::digest_of_event(bytes_of(event));
    const auto extended = runtime::measure(machine, chosen_rtmr, bytes_of(event));
    checks.check("RTMR[3]: is extended, and the log says so", extended);
    checks.check("RTMR[3]: the log ends with that event", ends_with(machine, event));
    const auto refused = runtime::measure(machine, 1, bytes_of(event));
    checks.check("RTMR[1]: is not the payload's to extend, and the error says which are",
                 !refused && refused.error().fault == Fault::events_register);
    const auto after = td::read_report({});
    if (!before || !extended || !after)
        return;
    crypto::Digest both[2]{*before, digest};
    checks.check("RTMR[3]: the next report has the extension",
                 (*after)->td_info.rtmr[chosen_rtmr] ==
                     crypto::sha384(std::as_bytes(std::span(both))));
}

void fill(MutableBytes bytes, std::uint8_t value) {
    // The VMM may look on: no store may be left out.
    for (std::byte& byte : bytes)
        *static_cast<volatile std::byte*>(&byte) = std::byte{value};
}

bool has_only(MutableBytes bytes, std::uint8_t value) {
    return std::ranges::all_of(bytes, [&](std::byte& byte) {
        return *static_cast<volatile std::byte*>(&byte) == std::byte{value};
    });
}

Result<void> share(const GpaRange& range) {
    TRY(td::map_gpa(range, td::Visibility::is_shared, runtime::shared_bit()));
    return runtime::map(range, memory::Access::shared_read_write);
}

Result<void> take_back(const GpaRange& range) {
    TRY(runtime::map(range, memory::Access::read_write));
    TRY(td::map_gpa(range, td::Visibility::is_private, runtime::shared_bit()));
    for (std::uint64_t page = range.start().value; page < range.end().value; page += page_size) {
        const tdx::Status status =
            memory::accept_patiently({page}, tdx::PageLevel::size_4k, td::accept_page);
        if (status.status_class() != tdx::StatusClass::success)
            return refuse(Fault::page_not_accepted, page, 0, status.value);
    }
    return {};
}

constinit std::atomic<std::uint64_t> seen_processors{};

void note_processor(std::uint32_t apic_id) {
    seen_processors |= std::uint64_t{1} << (apic_id % 64);
}

} // namespace

void check_measurement(Checks& checks, const runtime::HobList& machine) {
    if (!runtime::is_td()) {
        checks.skip("report", no_td);
        checks.skip("RTMR[3]", no_td);
        return;
    }
    check_report(checks);
    check_extension(checks, machine);
}

void check_sharing(Checks& checks) {
    if (!runtime::is_td()) {
        checks.skip("sharing", no_td);
        return;
    }
    constexpr std::uint8_t told = 0x5A;
    const auto memory = runtime::allocate(2 * page_size, page_size);
    if (!memory) {
        checks.check("sharing: there is memory", memory);
        return;
    }
    const Gpa start{reinterpret_cast<std::uint64_t>(memory->data())};
    const GpaRange range = GpaRange::between(start, {start.value + memory->size()});
    const auto shared = share(range);
    checks.check("sharing: MapGPA makes pages shared", shared);
    if (!shared)
        return;
    fill(*memory, told);
    checks.check("sharing: shared memory keeps what is written", has_only(*memory, told));
    const auto taken = take_back(range);
    checks.check("sharing: MapGPA and acceptance make them private again", taken);
    if (!taken)
        return;
    checks.check("sharing: accepted memory is zero", has_only(*memory, 0));
    fill(*memory, told);
    checks.check("sharing: it is private memory like any other", has_only(*memory, told));
}

void check_processors(Checks& checks, const runtime::HobList& machine) {
    const auto madt = machine.find_table("APIC");
    const auto processors = runtime::read_madt(madt.value_or(Bytes{}));
    checks.check("processors: the MADT can be read", processors);
    if (!processors)
        return;
    const std::size_t others = processors->apic_ids.size() - 1;
    if (!runtime::is_td()) {
        checks.skip("processors", no_td);
        return;
    }
    checks.check("processors: the MADT has a wakeup mailbox", processors->mailbox.has_value());
    if (others == 0) {
        checks.skip("processors: all of them come when they are woken", "there is only one");
        return;
    }
    const auto came = runtime::wake_processors(machine, *processors, note_processor);
    checks.check("processors: all of them come when they are woken",
                 came && *came == others &&
                     std::popcount(seen_processors.load()) == static_cast<int>(others),
                 Line() << std::uint64_t{came.value_or(0)} << " of " << std::uint64_t{others});
}

} // namespace tdshim::selftest
