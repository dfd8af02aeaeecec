// SPDX-License-Identifier: Apache-2.0
//
// One emulated TD: the model, the engine and the devices behind it, how far it has come, and how it
// ends.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tools/td-emu/plugin/call_faults.hpp"
#include "tools/td-emu/plugin/display.hpp"
#include "tools/td-emu/plugin/engine.hpp"
#include "tools/td-emu/plugin/item_faults.hpp"
#include "tools/td-emu/plugin/qtest.hpp"
#include "tools/td-emu/plugin/quotes.hpp"
#include "tools/td-emu/plugin/stack_marks.hpp"
#include "tools/td-emu/plugin/trace.hpp"
#include "tools/td-emu/schedule.hpp"
#include "tools/td-emu/settings.hpp"
#include "tools/tdx-model/hostile_td.hpp"
#include "tools/tdx-model/td.hpp"

namespace tdshim::td_emu {

/// TDVMCALLs that need QEMU's devices.
class DeviceVmm : public tdx_model::Vmm {
  public:
    DeviceVmm(const Settings& settings, const Faults& faults, tdx_model::GuestMemory& memory)
        : qtest_(settings.qtest_socket), faults_(faults.items, memory),
          quotes_(settings.quote_socket, faults.quotes) {}
    [[nodiscard]] std::uint32_t read_port(std::uint16_t port, unsigned size) override {
        return faults_.after_read(port, qtest_.read_port(port, size));
    }
    void write_port(std::uint16_t port, unsigned size, std::uint32_t value) override {
        faults_.before_write(port, size, value);
        qtest_.write_port(port, size, value);
        faults_.after_write();
    }
    [[nodiscard]] std::uint64_t read_mmio(Gpa address, unsigned size) override {
        return qtest_.read_memory(address.value, size);
    }
    void write_mmio(Gpa address, unsigned size, std::uint64_t value) override {
        qtest_.write_memory(address.value, size, value);
    }
    [[nodiscard]] bool has_private_memory(Gpa page) override { return !display_.takes(page); }
    [[nodiscard]] std::uint32_t apic_id(unsigned vcpu) override;
    [[nodiscard]] tdx_model::QuoteAnswer quote(Bytes report) override {
        return quotes_.quote(report);
    }
    void set_apic_id(unsigned vcpu, std::uint32_t id);
    /// What is to be done is the engine's: it waits when the call has been answered.
    void halt(unsigned) override {}
    void finish() { qtest_.finish(); }

  private:
    Qtest qtest_;
    Display display_{qtest_};
    ItemFaults faults_;
    Quotes quotes_;
    std::mutex mutex_;
    std::map<unsigned, std::uint32_t> apic_ids_; ///< by vCPU, as QEMU has them
};

struct Emulation {
    Settings settings;
    Faults faults;
    EngineMemory memory;
    DeviceVmm vmm;
    tdx_model::Td td;
    tdx_model::HostileTd hostile;
    CallFaults call_faults;
    Schedule schedule;
    std::atomic<std::uint64_t> first_calls = 0; ///< TDCALLs of the first processor
    std::atomic<bool> is_started = false;       ///< the first processor was sent to the stub
    std::atomic<unsigned> arrived = 0;          ///< processors that left the stub
    /// Code outside of the image was executed: the payload, or what another's firmware copied.
    std::atomic<bool> has_left_image = false;
    std::atomic<bool> runs_payload = false;
    std::atomic<bool> payload_is_linux = false;
    std::atomic<std::uint64_t> payload_calls = 0; ///< TDCALLs that are none of the firmware's
    std::atomic<bool> payload_extends = false;    ///< it has extended a register
    std::atomic<bool> holds_rules = true; ///< until the payload is Linux, or another's firmware's
    std::atomic<std::uint64_t> generation = 1; ///< of page states
    qemu_plugin_u64 instructions{};            ///< before the payload, by vCPU; where they count
    qemu_plugin_u64 lacks_r8{};                ///< by vCPU: R8 is still to become what RCX was
    /// By vCPU: how far from where it was translated the block runs [executed_instruction()].
    qemu_plugin_u64 displacement{};
    StackMarks stacks;
    Trace trace;
    bool is_stopped = false; ///< the run ends here, not by QEMU
    std::string finding;
    std::string fatal_error;

    Emulation(const Settings& from, const Faults& hostility);

    /// Keeps what the firmware used, as it is now; from a callback that may read registers.
    void take_statistics();
    /// Of these what needs no registers.
    void take_instructions();
    /// Leaves in the result file how the run went, as JSON.
    void write_result();
    /// Writes the firmware's event log as it is now, where it is wanted.
    void write_log();
    /// Keeps the event log as it is now, where it is wanted, once the payload has extended a
    /// register; from a callback of a vCPU.
    void keep_payload_log();
    /// Ends QEMU here and now; td-emu reads why in the result.
    [[noreturn]] void stop();
    [[noreturn]] void stop_by_finding(std::uint64_t rip, const std::string& rule,
                                      std::uint64_t address);

  private:
    nlohmann::ordered_json statistics_ = nlohmann::ordered_json::object(); ///< of the firmware
    std::mutex log_mutex_;
    std::vector<std::byte> payload_log_;
};

/// The one of this process, never destroyed: QEMU's threads may call until the process is gone.
extern Emulation* emulation;

} // namespace tdshim::td_emu
