// SPDX-License-Identifier: Apache-2.0
#include "launch/guest/stage1/measure.hpp"

#include <array>
#include <cpuid.h>
#include <cstring>
#include <span>
#include <sys/mount.h>

#include "launch/guest/stage1/files.hpp"
#include "payload/runtime/event_log.hpp"

namespace tdshim::stage1 {
namespace {

constexpr std::uint32_t rtmr = 2;
constexpr const char* register_file = "/sys/class/misc/tdx_guest/measurements/rtmr2:sha384";
constexpr std::size_t most_of_event = 4096;

bool is_td() {
    constexpr unsigned leaf = 0x21;
    if (__get_cpuid_max(0, nullptr) < leaf)
        return false;
    unsigned eax = 0;
    std::array<unsigned, 3> vendor{}; // EBX, EDX, ECX
    __cpuid_count(leaf, 0, eax, vendor[0], vendor[2], vendor[1]);
    return std::memcmp(vendor.data(), "IntelTDX    ", sizeof(vendor)) == 0;
}

} // namespace

Step<> measure(const guest::Root& root, const std::string& place) {
    if (!root.extends_rtmr2)
        return {};
    if (!is_td()) {
        say("no TD: there is no RTMR[2] to extend");
        return {};
    }
    const std::string text = guest::measured_text(root);
    const Bytes data = std::as_bytes(std::span(text));
    const crypto::Digest digest = runtime::digest_of_event(data);
    TRY(write_file(register_file, digest));
    std::array<std::byte, most_of_event> event{};
    if (!runtime::write_event(event, rtmr, digest, data))
        return std::unexpected("the event for RTMR[2] is too long");
    // Init leaves a /run alone that is mounted.
    TRY(mount({"tmpfs", "tmpfs", place + "/run", MS_NOSUID | MS_NODEV, "mode=0755"}));
    TRY(make_folder(place + "/run/stage1"));
    TRY(write_file(place + "/run/stage1/events",
                   Bytes(event).first(runtime::size_of_event(data.size()))));
    say("measured into RTMR[2]");
    return {};
}

} // namespace tdshim::stage1
