// SPDX-License-Identifier: Apache-2.0
#include "tools/td-emu/run_end.hpp"

#include <algorithm>
#include <cstdint>
#include <format>

namespace tdshim::td_emu {
namespace {

using nlohmann::ordered_json;
using namespace nlohmann::literals;

constexpr std::string_view how_to_go_on =
    "--trace FILE shows its calls until then, and -- -d int,cpu_reset -D FILE its exceptions";

constexpr std::string_view no_tdx_guest =
    "Linux ran to its end without one TDCALL: this kernel does not know that it is in a TD "
    "(CONFIG_INTEL_TDX_GUEST), and on TDX hardware its first access to a port would have ended it";

/// In a TD every port access and every CPUID of a VMM's leaf is a TDCALL: of Linux's own #VE
/// handler [Linux, arch/x86/coco/tdx/tdx.c].
bool knows_no_tdx(const ordered_json& result) {
    return result.at("payload_entered") && result.at("payload_is_linux") &&
           result.at("payload_tdcalls") == 0;
}

/// Where the vCPUs were, as well as it is known: a block is a few instructions without a branch.
std::string places(const ordered_json& last_blocks) {
    std::string text;
    for (std::size_t vcpu = 0; const auto& block : last_blocks) {
        const auto address = block.get<std::uint64_t>();
        if (address != 0)
            text += std::format("{}RIP {:#x} (vCPU {})", text.empty() ? "" : ", ", address, vcpu);
        ++vcpu;
    }
    return text.empty() ? "no RIP known" : text;
}

std::string rule_broken_by(std::string_view reason) {
    if (reason == "guest-reset")
        return "the TD was reset, by a triple fault or because it asked for it (port 0xCF9 or "
               "0x64): a VMM ends a TD there";
    if (reason == "guest-panic")
        return "the TD reported a panic to QEMU's device for that";
    if (reason.empty())
        return "QEMU ended and did not say why";
    return std::format("QEMU ended the TD for the reason {}", reason);
}

struct End {
    std::string name;
    std::string finding{};
};

End end_of(const ordered_json& result, bool is_stopped, std::string_view reason,
           const std::string& where) {
    if (!result.at("finding").get<std::string>().empty())
        return {"finding", result.at("finding")};
    if (!result.at("fatal_error").get<std::string>().empty())
        return {"fatal-error"};
    if (is_stopped)
        return {"payload"};
    if (reason == "guest-shutdown" && knows_no_tdx(result))
        return {"power-off", std::string(no_tdx_guest)};
    if (reason == "guest-shutdown" && result.at("payload_entered"))
        return {"power-off"};
    if (reason == "guest-shutdown")
        return {"power-off", where + ": the TD powered off before a payload began"};
    if (reason.starts_with("host-"))
        return {"from-outside"};
    return {reason == "guest-reset" ? "reset" : "unknown",
            std::format("{}: {}; {}", where, rule_broken_by(reason),
                        knows_no_tdx(result) ? no_tdx_guest : how_to_go_on)};
}

} // namespace

std::string shutdown_reason(std::string_view messages) {
    std::string reason;
    while (!messages.empty()) {
        const std::size_t size = std::min(messages.find('\n'), messages.size() - 1) + 1;
        const auto message = ordered_json::parse(messages.substr(0, size), nullptr, false);
        messages.remove_prefix(size);
        if (message.is_object() && message.value("event", std::string{}) == "SHUTDOWN")
            reason = message.value("/data/reason"_json_pointer, std::string{});
    }
    return reason;
}

void judge_end(ordered_json& result, std::string_view reason) {
    const End end = end_of(result, result.at("stopped"), reason, places(result.at("last_blocks")));
    result.erase("stopped");
    result.erase("last_blocks");
    result["end"] = end.name;
    result["finding"] = end.finding;
}

} // namespace tdshim::td_emu
