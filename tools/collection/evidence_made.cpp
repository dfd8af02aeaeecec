// SPDX-License-Identifier: Apache-2.0
#include "tools/collection/evidence_made.hpp"

#include <algorithm>
#include <array>
#include <cpuid.h>
#include <cstring>
#include <format>
#include <nlohmann/json.hpp>
#include <sys/utsname.h>
#include <unistd.h>

#include "payload/runtime/event_log.hpp"
#include "tools/collection/kernel_files.hpp"
#include "tools/common/base64.hpp"
#include "tools/common/text.hpp"

namespace tdshim::tools {
namespace {

using nlohmann::ordered_json;

constexpr const char* log_file = "/sys/firmware/acpi/tables/data/CCEL";
constexpr const char* events_file = "/run/stage1/events"; // of launch/guest/stage1
constexpr const char* ima_file = "/sys/kernel/security/ima/binary_runtime_measurements";
constexpr std::size_t most_of_ima = std::size_t{4} << 20; // in base64 a file that verify reads
constexpr const char* registers = "/sys/devices/virtual/misc/tdx_guest/measurements"; // Linux 6.16

/// What stage 1 extended RTMR[2] by, behind the firmware's events: as a payload of our own would
/// have added it. What is no event there the registers tell.
void append_events(std::vector<std::byte>& log, Bytes events) {
    const auto room = runtime::find_room(log, 0);
    if (room && events.size() <= log.size() - *room)
        std::ranges::copy(events, log.begin() + static_cast<std::ptrdiff_t>(*room));
}

ordered_json registers_shown() {
    ordered_json shown = ordered_json::object();
    for (int i = 0; i < 4; ++i)
        if (const auto value = read_kernel_file(std::format("{}/rtmr{}:sha384", registers, i)))
            shown[std::format("rtmr{}", i)] = hex(*value);
    return shown;
}

} // namespace

bool is_td() {
    constexpr unsigned leaf = 0x21;
    unsigned eax = 0;
    std::array<unsigned, 3> vendor{}; // EBX, EDX, ECX
    if (__get_cpuid_max(0, nullptr) < leaf)
        return false;
    __cpuid_count(leaf, 0, eax, vendor[0], vendor[2], vendor[1]);
    return std::memcmp(vendor.data(), "IntelTDX    ", sizeof(vendor)) == 0;
}

std::string evidence_text(const CollectedQuote& quote) {
    ordered_json evidence{{"quote", base64(quote.quote)}, {"cc_eventlog", nullptr}};
    if (auto log = read_kernel_file(log_file)) {
        if (const auto events = read_kernel_file(events_file))
            append_events(*log, *events);
        evidence["cc_eventlog"] = base64(*log);
    }
    if (const auto log = read_kernel_file(ima_file)) {
        evidence["ima_log"] = nullptr;
        if (log->size() <= most_of_ima)
            evidence["ima_log"] = base64(*log);
    }
    utsname system{};
    ::uname(&system);
    evidence["platform"] = {{"quote_source", quote.source},
                            {"kernel", system.release},
                            {"cpus", ::sysconf(_SC_NPROCESSORS_ONLN)},
                            {"registers", registers_shown()}};
    return evidence.dump(2) + "\n";
}

} // namespace tdshim::tools
