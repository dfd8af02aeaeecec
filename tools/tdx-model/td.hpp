// SPDX-License-Identifier: Apache-2.0
//
// A TD as the TDX module keeps it, answering what its vCPUs ask by TDCALL [Intel TDX Module 1.5
// ABI; statuses and the order of checks as in its source]. It knows no engine: guest memory and the
// VMM are behind interfaces. Calls may come from several vCPUs' threads at once.
#pragma once

#include <expected>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "shim/base/bytes.hpp"
#include "shim/formats/tdx/report.hpp"
#include "shim/measure/register_bank.hpp"
#include "tools/tdx-model/fields.hpp"
#include "tools/tdx-model/module_version.hpp"
#include "tools/tdx-model/pages.hpp"
#include "tools/tdx-model/quote_calls.hpp"
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
    /// Registers of a device; `size` is 1, 2, 4 or 8. A VMM without any reads ones.
    [[nodiscard]] virtual std::uint64_t read_mmio(Gpa address, unsigned size);
    virtual void write_mmio(Gpa address, unsigned size, std::uint64_t value);
    /// Whether there is memory behind an address of RAM that only the TD sees. Of a device's the
    /// VMM can make none: KVM reports a memory fault and QEMU ends [QEMU accel/kvm/kvm-all.c,
    /// kvm_convert_memory: "Convert non guest_memfd backed memory region"].
    [[nodiscard]] virtual bool has_private_memory(Gpa page);
    /// The x2APIC ID of a vCPU: not its index where sockets, dies and cores are no powers of two.
    [[nodiscard]] virtual std::uint32_t apic_id(unsigned vcpu);
    /// What a quoting service makes of what a TD gave as its report. A VMM without one is the
    /// default.
    [[nodiscard]] virtual QuoteAnswer quote(Bytes report);
    /// The vCPU has nothing to do until an interrupt.
    virtual void halt(unsigned vcpu) = 0;
};

struct Configuration {
    unsigned gpa_width = 52;
    std::uint32_t vcpus = 1;
    bool grants_large_pages = false; ///< KVM of today backs a TD by 4 KiB pages
    ModuleVersion module_version = ModuleVersion::v2_0;
    bool preserves_rbp = true; ///< CONFIG_FLAGS.NO_RBP_MOD, without which KVM builds no TD
    /// CONFIG_FLAGS.FLEXIBLE_PENDING_VE: the TD may choose whether a pending page raises #VE.
    bool flexible_pending_ve = false;
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

    /// Of a GPA, and of a page table's entry.
    [[nodiscard]] std::uint64_t shared_bit() const { return std::uint64_t{1} << (gpa_width - 1); }
};

/// What the TD asked for about its #VE.
struct VeControls {
    std::uint64_t td_ctls = 0; ///< as it was written; of a TD that wrote nothing, zero
    bool cpuid = false;        ///< every CPUID of ring 0 raises one
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
    std::uint64_t readded_pages = 0;
};

/// What TDG.VP.VEINFO.GET tells of a #VE [Intel TDX Module 1.5 ABI; SDM 3C, 28.2.1].
struct VeInfo {
    std::uint32_t exit_reason = 0;
    std::uint64_t exit_qualification = 0;
    std::uint32_t instruction_length = 0; ///< in bytes
    // Of EPT violations:
    std::uint64_t linear_address = 0;
    std::uint64_t gpa = 0; ///< with the shared bit
};

class Td {
  public:
    Td(const Configuration& configuration, GuestMemory& memory, Vmm& vmm)
        : configuration_(configuration), memory_(memory), vmm_(vmm) {}

    /// For who builds the TD: its RAM, and what was added to it before it runs.
    [[nodiscard]] Pages& pages() { return pages_; }

    /// Executes TDCALL on `vcpu`.
    [[nodiscard]] Outcome tdcall(unsigned vcpu, Registers& registers);

    /// What a VMM does with a TDVMCALL, by the registers that it is shown.
    using VmmSide = std::function<Outcome(Registers& shown)>;

    /// Executes TDG.VP.VMCALL: `vmm_side` sees the registers that the mask in RCX selects, the
    /// others as zero, and what it leaves in the selected ones is the TD's. It is not called, and
    /// RAX is OPERAND_INVALID for RCX, when the mask selects RAX, RCX, RSP or (unless the VMM may
    /// change it) RBP, or has reserved bits [TDX module, tdg_vp_vmcall.c].
    [[nodiscard]] Outcome vmcall(Registers& registers, const VmmSide& vmm_side);

    /// The side of an honest VMM, for a call of `vcpu`.
    [[nodiscard]] Outcome answer(unsigned vcpu, Registers& shown);

    /// Keeps what `vcpu` may ask about the #VE that it is about to get. False when it did not ask
    /// about the one before: the processor gets a #DF then.
    [[nodiscard]] bool raise_ve(unsigned vcpu, const VeInfo& info);
    [[nodiscard]] VeControls ve_controls(unsigned vcpu) const;

    /// An access of the TD's own to guest memory, by address without the shared bit. `is_shared`:
    /// its page tables have the bit set.
    [[nodiscard]] std::optional<Finding> check_access(Gpa address, std::uint64_t size,
                                                      bool is_shared = false) const;

    /// TDREPORT_STRUCT, 1024 bytes, for these 64 bytes of report data. CPUSVN, TCB information and
    /// MAC are the letters "EMULATED" over and over: no verifier takes them for a processor's.
    [[nodiscard]] std::array<std::byte, 1024> report(Bytes report_data) const;

    /// As they are now: vCPUs may go on.
    [[nodiscard]] measure::RegisterBank registers() const;
    [[nodiscard]] Counts counts() const;

    /// The VMM takes away a page of 4 KiB that the TD has accepted. The module allows it: the TD
    /// ends at its next access.
    void withdraw(Gpa page);

    /// The VMM takes a private page of 4 KiB out of the running TD and gives another in its place:
    /// TDH.MEM.RANGE.BLOCK, MEM.TRACK, MEM.PAGE.REMOVE, MEM.PAGE.AUG. The module allows it at any
    /// moment, for added, accepted and pending pages alike [TDX module, tdh_mem_page_remove.c,
    /// tdh_mem_page_aug.c]: the content is gone, the page is pending, and whichever vCPU accepts it
    /// gets zeros and SUCCESS. A page that is shared or no RAM stays what it is.
    void readd(Gpa page);

    /// The first page of `range` that waits for acceptance.
    [[nodiscard]] std::optional<Gpa> find_pending(const GpaRange& range) const;

    /// Counts a TDCALL that somebody else answers, by its RAX.
    void count(std::uint64_t leaf_and_version);

  private:
    [[nodiscard]] std::uint64_t shared_bit() const { return configuration_.shared_bit(); }

    enum class OperandKind : std::uint8_t { is_private, is_private_or_shared };
    /// The memory that the operand in `number` names, without the shared bit. Nothing when it is no
    /// address that the kind allows, which is then the status in RAX, or when the TD would end or
    /// get a #VE, which is then the outcome.
    [[nodiscard]] std::optional<Gpa> find_operand(Registers& registers, Register number,
                                                  std::uint64_t size, OperandKind kind,
                                                  Outcome& outcome) const;
    [[nodiscard]] std::optional<Finding> judge(Gpa address, std::uint64_t size,
                                               bool is_shared) const;
    [[nodiscard]] Outcome execute(unsigned vcpu, Registers& registers);
    void vp_info(unsigned vcpu, Registers& registers) const;
    void take_ve_info(unsigned vcpu, Registers& registers);
    [[nodiscard]] Outcome extend_rtmr(Registers& registers);
    [[nodiscard]] std::array<std::byte, 1024> make_report(Bytes report_data) const;
    [[nodiscard]] Outcome write_report(Registers& registers);
    [[nodiscard]] Outcome accept_page(Registers& registers);
    [[nodiscard]] Outcome accept_small(Gpa page, std::uint64_t& status);
    [[nodiscard]] Outcome accept_large(Gpa page, std::uint64_t& status);
    [[nodiscard]] Outcome verify_report(Registers& registers);
    [[nodiscard]] std::uint64_t td_value(const Field& field) const;
    [[nodiscard]] std::uint64_t vcpu_value(unsigned vcpu, const Field& field) const;
    void read_td_field(Registers& registers);
    [[nodiscard]] std::uint64_t write_td_field(Registers& registers);
    void read_vcpu_field(unsigned vcpu, Registers& registers);
    [[nodiscard]] std::uint64_t write_vcpu_field(unsigned vcpu, Registers& registers);
    void read_system_field(Registers& registers);
    [[nodiscard]] std::uint64_t set_cpuid_ve(unsigned vcpu, const Registers& registers);
    void port_io(Registers& shown);
    void mmio(Registers& shown);
    void map_gpa(Registers& shown);
    void get_quote(Registers& shown);
    [[nodiscard]] std::expected<std::vector<std::byte>, std::uint64_t>
    take_report(const GpaRange& buffer);
    // With the lock held:
    [[nodiscard]] bool is_shared(const GpaRange& range) const;
    void finish_quote(const GpaRange& buffer, const QuoteAnswer& answer);
    void pass_quotes_on();

    Configuration configuration_;
    GuestMemory& memory_;
    Vmm& vmm_;
    mutable std::mutex mutex_;
    Pages pages_;
    /// Pages that readd() took from the TD, which had accepted them or been built with them, and
    /// that the TD has not made shared since: nobody may accept them.
    std::set<std::uint64_t> lost_;
    measure::RegisterBank rtmrs_;
    std::vector<std::pair<GpaRange, QuoteAnswer>> quotes_in_flight_; ///< by buffer
    std::map<unsigned, VeInfo> ve_infos_;               ///< by vCPU, those that were not asked for
    std::map<std::uint64_t, std::uint64_t> td_written_; ///< fields, by identifier
    std::map<std::pair<unsigned, std::uint64_t>, std::uint64_t> vcpu_written_; ///< by vCPU, too
    Counts counts_;
};

} // namespace tdshim::tdx_model
