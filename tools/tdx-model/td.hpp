// SPDX-License-Identifier: Apache-2.0
//
// A TD as the TDX module keeps it, answering what its vCPUs ask by TDCALL [Intel TDX Module 1.5
// ABI; statuses and the order of checks as in its source]. It knows no engine: guest memory and the
// VMM are behind interfaces. Calls may come from several vCPUs' threads at once.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "shim/base/bytes.hpp"
#include "shim/formats/tdx/report.hpp"
#include "shim/measure/register_bank.hpp"
#include "tools/tdx-model/pages.hpp"
#include "tools/tdx-model/registers.hpp"

namespace tdshim::tdx_model {

/// Guest physical memory, by addresses without the shared bit. False where there is none.
class GuestMemory {
  public:
    virtual ~GuestMemory() = default;
    [[nodiscard]] virtual bool read(Gpa address, MutableBytes destination) = 0;
    [[nodiscard]] virtual bool write(Gpa address, Bytes bytes) = 0;
    /// Makes whole pages zero; writes only where they are not, so that memory which nobody used
    /// costs nothing.
    [[nodiscard]] virtual bool clear(const GpaRange& pages);
};

/// The VMM's side of a TDVMCALL: what needs devices.
class Vmm {
  public:
    virtual ~Vmm() = default;
    /// `size` is 1, 2 or 4.
    [[nodiscard]] virtual std::uint32_t read_port(std::uint16_t port, unsigned size) = 0;
    virtual void write_port(std::uint16_t port, unsigned size, std::uint32_t value) = 0;
    /// The vCPU has nothing to do until an interrupt.
    virtual void halt(unsigned vcpu) = 0;
};

struct Configuration {
    unsigned gpa_width = 52;
    std::uint32_t vcpus = 1;
    bool grants_large_pages = false; ///< KVM of today backs a TD by 4 KiB pages
    /// What the TD was built with. RTMRs are not looked at: they begin at zero.
    tdx::TdInfo td_info = {.attributes = 1 << 28 /* SEPT_VE_DISABLE: Linux wants it */,
                           .xfam = 0xE7,
                           .mrtd = {},
                           .mr_config_id = {},
                           .mr_owner = {},
                           .mr_owner_config = {},
                           .rtmr = {},
                           .servtd_hash = {},
                           .reserved = {}};
};

/// What the TD did that a TD may not do.
struct Finding {
    std::string rule;
    std::uint64_t address = 0;
};

struct Outcome {
    std::optional<Finding> finding;
    std::optional<std::string> fatal_error; ///< text of TDVMCALL ReportFatalError
};

struct Counts {
    std::map<std::uint64_t, std::uint64_t> tdcalls;   ///< by leaf
    std::map<std::uint64_t, std::uint64_t> tdvmcalls; ///< by sub-function
    std::uint64_t small_pages = 0;
    std::uint64_t large_pages = 0;
    std::uint64_t shared_bytes = 0; ///< asked for by MapGPA
};

/// What TDG.VP.VEINFO.GET tells of a #VE [Intel TDX Module 1.5 ABI; SDM 3C, 28.2.1].
struct VeInfo {
    std::uint32_t exit_reason = 0;
    std::uint64_t exit_qualification = 0;
    std::uint32_t instruction_length = 0; ///< in bytes
};

class Td {
  public:
    Td(const Configuration& configuration, GuestMemory& memory, Vmm& vmm)
        : configuration_(configuration), memory_(memory), vmm_(vmm) {}

    /// For who builds the TD: its RAM, and what was added to it before it runs.
    [[nodiscard]] Pages& pages() { return pages_; }

    /// Executes TDCALL on `vcpu`.
    [[nodiscard]] Outcome tdcall(unsigned vcpu, Registers& registers);

    /// Keeps what `vcpu` may ask about the #VE that it is about to get. False when it did not ask
    /// about the one before: the processor gets a #DF then.
    [[nodiscard]] bool raise_ve(unsigned vcpu, const VeInfo& info);

    /// An access of the TD's own to guest memory, by address without the shared bit. `is_shared`:
    /// its page tables have the bit set.
    [[nodiscard]] std::optional<Finding> check_access(Gpa address, std::uint64_t size,
                                                      bool is_shared = false);

    /// TDREPORT_STRUCT, 1024 bytes, for these 64 bytes of report data. CPUSVN, TCB information and
    /// MAC are the letters "EMULATED" over and over: no verifier takes them for a processor's.
    [[nodiscard]] std::array<std::byte, 1024> report(Bytes report_data);

    [[nodiscard]] measure::RegisterBank registers() const;
    [[nodiscard]] Counts counts() const;

  private:
    [[nodiscard]] std::uint64_t shared_bit() const {
        return std::uint64_t{1} << (configuration_.gpa_width - 1);
    }
    [[nodiscard]] bool is_private(std::uint64_t address, std::uint64_t size) const;
    [[nodiscard]] Outcome execute(unsigned vcpu, Registers& registers);
    void vp_info(unsigned vcpu, Registers& registers) const;
    void take_ve_info(unsigned vcpu, Registers& registers);
    [[nodiscard]] std::uint64_t extend_rtmr(const Registers& registers);
    [[nodiscard]] std::uint64_t write_report(const Registers& registers);
    [[nodiscard]] std::uint64_t accept_page(const Registers& registers);
    void access_field(Registers& registers);
    [[nodiscard]] std::uint64_t accept_large_page(const GpaRange& range);
    [[nodiscard]] std::uint64_t accept_small_page(const GpaRange& range);
    [[nodiscard]] Outcome vmcall(unsigned vcpu, Registers& registers);
    [[nodiscard]] Outcome ask_vmm(unsigned vcpu, Registers& registers);
    void map_gpa(Registers& registers);

    Configuration configuration_;
    GuestMemory& memory_;
    Vmm& vmm_;
    mutable std::mutex mutex_;
    Pages pages_;
    measure::RegisterBank rtmrs_;
    std::map<unsigned, VeInfo> ve_infos_; ///< by vCPU, those that were not asked for
    Counts counts_;
};

} // namespace tdshim::tdx_model
