// SPDX-License-Identifier: Apache-2.0
#include "tools/td-emu/plugin/emulation.hpp"

#include <array>
#include <cstdio>
#include <format>
#include <fstream>
#include <unistd.h>
#include <utility>
#include <vector>

#include "shim/memory/layout.hpp"
#include "tools/td-emu/call_names.hpp"
#include "tools/td-emu/plugin/hand_over.hpp"
#include "tools/td-emu/plugin/page_watch.hpp"

namespace tdshim::td_emu {
namespace {

nlohmann::ordered_json by_name(const std::map<std::uint64_t, std::uint64_t>& counts,
                               std::string (*name)(std::uint64_t)) {
    auto named = nlohmann::ordered_json::object();
    for (const auto& [number, count] : counts)
        named[name(number)] = count;
    return named;
}

void write_bytes(const std::string& file, Bytes bytes) {
    std::ofstream(file, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
}

} // namespace

Emulation* emulation = nullptr;

std::uint32_t DeviceVmm::apic_id(unsigned vcpu) {
    const std::lock_guard lock(mutex_);
    return apic_ids_[vcpu];
}

void DeviceVmm::set_apic_id(unsigned vcpu, std::uint32_t id) {
    const std::lock_guard lock(mutex_);
    apic_ids_[vcpu] = id;
}

Emulation::Emulation(const Settings& from, const Faults& hostility)
    : settings(from), faults(hostility), vmm(from, hostility, memory),
      td(from.configuration, memory, vmm), hostile(td, from.fault), call_faults(hostility.calls),
      schedule(hostility, from.configuration.vcpus, td), trace(from.trace_file) {
    for (const GpaRange& range : from.ram)
        td.pages().add_ram(range);
    for (const GpaRange& range : from.added)
        td.pages().set(range, tdx_model::PageState::accepted);
    schedule.begin();
    lacks_r8.score = qemu_plugin_scoreboard_new(sizeof(std::uint64_t));
    displacement.score = qemu_plugin_scoreboard_new(sizeof(std::uint64_t));
    if (from.wants_statistics)
        instructions.score = qemu_plugin_scoreboard_new(sizeof(std::uint64_t));
}

void Emulation::take_instructions() {
    if (!settings.wants_statistics)
        return;
    auto& counted = statistics_["instructions"] = nlohmann::ordered_json::array();
    for (unsigned vcpu = 0; vcpu < settings.configuration.vcpus; ++vcpu)
        counted.push_back(qemu_plugin_u64_get(instructions, vcpu));
}

void Emulation::take_statistics() {
    take_instructions();
    if (!settings.wants_statistics || !settings.is_tdshim)
        return;
    auto& uses = statistics_["stacks"] = nlohmann::ordered_json::array();
    for (const StackUse& use : stacks.uses())
        uses.push_back({{"name", use.name}, {"size", use.size}, {"used", use.used}});
    statistics_["page_tables"] = count_page_tables(layout::shim_data);
}

void Emulation::write_result() {
    const tdx_model::Counts counts = td.counts();
    auto last_blocks = nlohmann::ordered_json::array();
    for (unsigned vcpu = 0; vcpu < settings.configuration.vcpus; ++vcpu)
        last_blocks.push_back(last_block(vcpu));
    nlohmann::ordered_json json{{"payload_entered", runs_payload.load()},
                                {"payload_is_linux", payload_is_linux.load()},
                                {"payload_tdcalls", payload_calls.load()},
                                {"stopped", is_stopped},
                                {"last_blocks", last_blocks},
                                {"finding", finding},
                                {"fatal_error", fatal_error},
                                {"pages_4k", counts.small_pages},
                                {"pages_2m", counts.large_pages},
                                {"shared_bytes", counts.shared_bytes},
                                {"pages_readded", counts.readded_pages},
                                {"tdcalls", counts.tdcalls},
                                {"tdvmcalls", counts.tdvmcalls},
                                {"tdcalls_by_name", by_name(counts.tdcalls, leaf_name)},
                                {"tdvmcalls_by_name", by_name(counts.tdvmcalls, subfunction_name)}};
    json.update(statistics_);
    if (settings.wants_statistics)
        json["protections"] = found_protections();
    const std::array<std::byte, 64> no_data{};
    const auto report = td.report(no_data);
    std::string hex;
    for (const std::byte byte : report)
        hex += std::format("{:02x}", std::to_integer<unsigned>(byte));
    json["report"] = hex;
    if (const std::lock_guard lock(log_mutex_); !payload_log_.empty())
        write_bytes(settings.payload_ccel_file, payload_log_);
    std::ofstream(settings.result_file) << json;
}

void Emulation::write_log() {
    if (settings.ccel_file.empty())
        return;
    std::vector<std::byte> log(layout::event_log.size());
    if (memory.read(layout::event_log.start(), log))
        write_bytes(settings.ccel_file, log);
}

void Emulation::keep_payload_log() {
    if (!payload_extends || settings.payload_ccel_file.empty())
        return;
    std::vector<std::byte> log(layout::event_log.size());
    if (!memory.read(layout::event_log.start(), log))
        return;
    const std::lock_guard lock(log_mutex_);
    payload_log_ = std::move(log);
}

void Emulation::stop() {
    vmm.finish();
    if (!runs_payload) { // else it was done when the payload began
        write_log();
        take_statistics();
    }
    keep_payload_log();
    is_stopped = true;
    write_result();
    std::fflush(nullptr);
    ::_exit(0);
}

void Emulation::stop_by_finding(std::uint64_t rip, const std::string& rule, std::uint64_t address) {
    finding = std::format("RIP {:#x}: {} (address {:#x})", rip, rule, address);
    stop();
}

} // namespace tdshim::td_emu
