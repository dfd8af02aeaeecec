// SPDX-License-Identifier: Apache-2.0
//
// Binds the boot to a machine of a test by the real shim/platform/td and devices: below them stand
// the model of the TDX module in place of TDCALL, and page tables of the shim's own make that
// nobody loads. So every page is seen as the processor would: which view its entry names, and
// whether the module has it in that state.
#include <bit>
#include <cstring>
#include <format>
#include <set>

#include "shim/base/line.hpp"
#include "shim/boot/boot.hpp"
#include "shim/formats/tdx/calls.hpp"
#include "shim/memory/layout.hpp"
#include "shim/memory/page_tables.hpp"
#include "shim/platform/devices/devices.hpp"
#include "shim/platform/platform.hpp"
#include "shim/platform/td/acceptance.hpp"
#include "shim/platform/td/processors.hpp"
#include "shim/platform/td/td.hpp"
#include "shim/platform/td/tdvmcall.hpp"
#include "shim/platform/x86/address_space.hpp"
#include "tests/native/machine.hpp"
#include "tools/tdx-model/td.hpp"

namespace tdshim::native {
namespace {

using tdx_model::PageState;

/// Thrown where the firmware would stop or leave.
struct Stopped {};

// Ports of the devices that this machine has.
constexpr std::uint16_t serial_data = 0x3F8;
constexpr std::uint16_t serial_line_control = 0x3FB;
constexpr std::uint16_t serial_line_status = 0x3FD;
constexpr std::uint8_t divisor_latch = 0x80;
constexpr std::uint8_t transmitter_ready = 0x60;
constexpr std::uint16_t config_selector = 0x510;
constexpr std::uint16_t config_data = 0x511;
constexpr std::uint16_t dma_high = 0x514;
constexpr std::uint16_t dma_low = 0x518;

// More than any boot needs, and than the firmware asks of a module that stays busy: it must end.
constexpr std::size_t max_calls = 3'000'000;

/// Of the model: what no firmware may ever do, whatever the VMM does.
constexpr std::string_view accepted_twice = "a page is accepted twice";

constexpr std::size_t pool_pages = 96; // as in shim/platform/x86/address_space.cpp
constexpr Gpa pool_address{10 * MiB};  // any: nobody loads these tables
constexpr std::array added_before{layout::shim_code, layout::shim_data, layout::td_hob,
                                  layout::event_log, layout::mailbox};

bool is_serial(std::uint64_t port) {
    return (port & ~std::uint64_t{7}) == serial_data;
}

} // namespace

/// One boot: the module, the VMM with its devices, and the processor's view of memory.
class PlatformBinding : public tdx_model::GuestMemory, public tdx_model::Vmm {
  public:
    explicit PlatformBinding(Machine& machine)
        : machine_(machine), td_({.gpa_width = *machine.gpa_width_,
                                  .vcpus = machine.processors_,
                                  .grants_large_pages = machine.grants_large_pages_},
                                 *this, *this),
          pool_(pool_pages) {
        td_.pages().add_ram(GpaRange::between({0}, {address_space}));
        for (const GpaRange& range : added_before)
            td_.pages().set(range, PageState::accepted);
        for (const GpaRange& range : machine.added_)
            td_.pages().set(range, PageState::accepted);
        machine.set_item(fw_cfg::signature,
                         Blob{std::byte{'Q'}, std::byte{'E'}, std::byte{'M'}, std::byte{'U'}});
        machine.set_item(fw_cfg::features, Blob{std::byte{3}, {}, {}, {}}); // ports and DMA
    }

    /// As shim/platform/x86/start.cpp does.
    void run() {
        try {
            td::detect();
            if (const auto entered = td::enter(); !entered) {
                const Line line = Line() << "tdshim: cannot start: " << entered.error();
                platform::print_end(line.text());
                platform::halt(line.text());
            }
            tables_.emplace(pool_, pool_address, td::info().shared_bit());
            boot::boot();
        } catch (const Stopped&) {
        }
        machine_.registers_ = td_.registers();
        const tdx_model::Counts counts = td_.counts();
        machine_.counts_.small_pages = counts.small_pages;
        machine_.counts_.large_pages = counts.large_pages;
    }

    void tdcall(td::Registers& registers) {
        if (++module_calls_ > max_calls)
            stop("the firmware calls without end");
        readd_pages();
        if (registers.rax == tdx::mem_page_accept && answer_acceptance(registers))
            return;
        if (registers.rax == tdx::mr_rtmr_extend || registers.rax == tdx::mr_report)
            admit_operands(registers);
        tdx_model::Registers numbered = numbered_of(registers);
        const bool counts = registers.rax == tdx::vp_vmcall &&
                            !(registers.r11 == tdx::vmcall_io && is_serial(registers.r14));
        const tdx_model::Outcome outcome = td_.tdcall(0, numbered);
        if (outcome.finding && outcome.finding->rule != accepted_twice &&
            registers.rax == tdx::mem_page_accept) {
            machine_.outcome_.untaken_page = outcome.finding->address;
            throw Stopped{};
        }
        if (outcome.finding)
            stop(outcome.finding->rule);
        if (outcome.fatal_error) {
            machine_.outcome_.fatal_error = *outcome.fatal_error;
            throw Stopped{};
        }
        if (counts)
            spoil(numbered);
        if (machine_.takes_back_window_)
            td_.pages().set(layout::shared_window, PageState::pending);
        set_from(registers, numbered);
    }

    Result<void> map(const GpaRange& range, memory::Access access) {
        return tables_->map(range, access);
    }

    Result<MutableBytes> memory(const GpaRange& range) {
        if (range.end().value > address_space) // as the page tables' own limit, only nearer
            return refuse(Fault::range_wraps, range.start().value, address_space,
                          range.end().value);
        TRY(map(range, memory::Access::read_write));
        for (std::uint64_t page = align_down(range.start().value, page_size);
             page < range.end().value; page += page_size)
            if (td_.pages().state({page}) == PageState::pending) {
                machine_.outcome_.untaken_page = page;
                throw Stopped{};
            }
        check_view(range, PageState::accepted);
        return machine_.memory(range.start(), range.size());
    }

    Result<Bytes> image(const GpaRange& range) {
        const std::uint64_t tail = layout::image_end - machine_.image_tail_.size();
        if (range.start().value < tail || range.end().value > layout::image_end)
            return refuse(Fault::page_tables_full);
        return Bytes(machine_.image_tail_).subspan(range.start().value - tail, range.size());
    }

    void start(const LinuxStart& linux) {
        check_hand_over();
        machine_.outcome_.linux = linux;
        throw Stopped{};
    }
    void start(const ExecutableStart& executable) {
        check_hand_over();
        machine_.outcome_.executable = executable;
        throw Stopped{};
    }

    [[nodiscard]] std::byte* pointer_to(Gpa address) { return machine_.memory_ + address.value; }

    // What the module does to memory. Operands of the firmware stand in this process's own.
    [[nodiscard]] bool read(Gpa address, MutableBytes destination) override {
        std::memcpy(destination.data(), operand(address), destination.size());
        return true;
    }
    [[nodiscard]] bool write(Gpa address, Bytes bytes) override {
        std::memcpy(operand(address), bytes.data(), bytes.size());
        return true;
    }
    /// What was never shared is as the machine began: zero.
    [[nodiscard]] bool clear(const GpaRange& pages) override {
        if (shared_once_.contains(pages.start().value))
            std::memset(pointer_to(pages.start()), 0, pages.size());
        return true;
    }

    [[nodiscard]] std::uint32_t read_port(std::uint16_t port, unsigned size) override {
        if (port == serial_line_status && size == 1)
            return transmitter_ready;
        std::byte byte{};
        if (port == config_data && size == 1 && machine_.read_selected({&byte, 1}))
            return std::to_integer<std::uint32_t>(byte);
        return ~std::uint32_t{0};
    }

    void write_port(std::uint16_t port, unsigned, std::uint32_t value) override {
        if (machine_.devices_are_closed_ && !is_serial(port))
            find("a device is used after the end");
        switch (port) {
        case serial_line_control: sets_divisor_ = (value & divisor_latch) != 0; break;
        case serial_data:
            if (!sets_divisor_)
                take_character(static_cast<char>(value));
            break;
        case config_selector: machine_.select(static_cast<fw_cfg::Selector>(value)); break;
        case dma_high: dma_address_ = std::uint64_t{std::byteswap(value)} << 32; break;
        case dma_low: transfer(dma_address_ | std::byteswap(value)); break;
        default: break; // nobody there
        }
    }

    void halt(unsigned) override {}

  private:
    void find(const std::string& what) { machine_.outcome_.findings.push_back(what); }
    [[noreturn]] void stop(const std::string& what) {
        find(what);
        throw Stopped{};
    }

    [[nodiscard]] std::byte* operand(Gpa address) {
        return address.value < address_space ? pointer_to(address)
                                             : reinterpret_cast<std::byte*>(address.value);
    }

    /// The firmware's data is memory that was added to the TD.
    void admit_operands(const td::Registers& registers) {
        for (const std::uint64_t address : {registers.rcx, registers.rdx})
            if (address >= address_space) {
                const std::uint64_t page = align_down(address, page_size);
                td_.pages().set(GpaRange::between({page}, {page + 2 * page_size}),
                                PageState::accepted);
            }
    }

    /// The module is honest: no VMM can make it say that a page was accepted which was not.
    bool answer_acceptance(td::Registers& registers) {
        const std::uint64_t page = registers.rcx & ~std::uint64_t{7};
        const auto answer = machine_.answers_.find(page);
        if (answer == machine_.answers_.end())
            return false;
        if (answer->second.status_class() == tdx::StatusClass::success)
            return false;
        registers.rax = answer->second.value;
        return true;
    }

    void readd_pages() {
        for (const Machine::Readded& readded : machine_.readded_pages_)
            if (readded.number == module_calls_)
                td_.readd(readded.page);
    }

    /// This process's memory is there all the same; a processor would have left the TD at its first
    /// access, or will when the payload runs.
    void stop_at_readded_page() {
        for (const Machine::Readded& readded : machine_.readded_pages_)
            if (td_.pages().state(readded.page) == PageState::pending) {
                machine_.outcome_.untaken_page = readded.page.value;
                throw Stopped{};
            }
    }

    void spoil(tdx_model::Registers& registers) {
        for (const Machine::Answer& answer : machine_.spoiled_calls_)
            if (answer.number == machine_.calls_ && answer.index >= tdx_model::r10 &&
                answer.index <= tdx_model::r15)
                registers[answer.index] = answer.value;
        ++machine_.calls_;
    }

    static tdx_model::Registers numbered_of(const td::Registers& r) {
        return {r.rax, r.rcx, r.rdx, r.rbx, 0,     0,     r.rsi, r.rdi,
                r.r8,  r.r9,  r.r10, r.r11, r.r12, r.r13, r.r14, r.r15};
    }
    static void set_from(td::Registers& r, const tdx_model::Registers& n) {
        using namespace tdx_model;
        r = {n[rax], n[rcx], n[rdx], n[rbx], n[rsi], n[rdi], n[r8],
             n[r9],  n[r10], n[r11], n[r12], n[r13], n[r14], n[r15]};
    }

    [[nodiscard]] bool is_mapped_shared(std::uint64_t page) const {
        return (tables_->leaf({page}) & td::info().shared_bit()) != 0;
    }

    /// Each page of `range` is in this state, and mapped so.
    bool check_view(const GpaRange& range, PageState wanted) {
        const bool is_shared = wanted == PageState::shared;
        for (std::uint64_t page = align_down(range.start().value, page_size);
             page < range.end().value; page += page_size) {
            const PageState state = td_.pages().state({page});
            if (state != wanted || is_mapped_shared(page) != is_shared ||
                tables_->leaf({page}) == 0) {
                find(std::format("page {:#x} is {} and mapped as {}", page,
                                 tdx_model::name_of(state),
                                 is_mapped_shared(page) ? "shared" : "private"));
                return false;
            }
            if (is_shared)
                shared_once_.insert(page);
        }
        return true;
    }

    /// Nothing is left shared; what the VMM saw is zero and the TD's again.
    void check_hand_over() {
        stop_at_readded_page();
        if (!machine_.devices_are_closed_)
            find("the payload starts while memory is shared");
        for (const std::uint64_t page : shared_once_)
            check_view(GpaRange::between({page}, {page + page_size}), PageState::accepted);
        for (std::uint64_t page = 0; page < address_space; page += large_page_size)
            if (td_.pages().state({page}) == PageState::shared)
                find("memory is left shared");
        const MutableBytes window =
            machine_.memory(layout::shared_window.start(), layout::shared_window.size());
        if (std::ranges::any_of(window, [](std::byte byte) { return byte != std::byte{0}; }))
            find("what the VMM wrote is left in memory");
    }

    void take_character(char c) {
        if (c == '\n')
            machine_.outcome_.console.push_back(std::exchange(line_, {}));
        else if (c != '\r')
            line_ += c;
    }

    /// `address`, a pointer of this process's, as guest memory that the VMM sees.
    std::optional<MutableBytes> device_memory(std::uint64_t address, std::size_t size) {
        const auto base = reinterpret_cast<std::uint64_t>(machine_.memory_);
        if (address < base || address - base > address_space - size) {
            find("a device is sent outside the guest's memory");
            return std::nullopt;
        }
        const GpaRange range = GpaRange::between({address - base}, {address - base + size});
        if (!check_view(range, PageState::shared))
            return std::nullopt;
        return machine_.memory(range.start(), size);
    }

    /// fw_cfg's DMA, to and from what is shared [QEMU docs/specs/fw_cfg.rst].
    void transfer(std::uint64_t control_address) {
        const auto place = device_memory(control_address, sizeof(fw_cfg::DmaControl));
        if (!place)
            return;
        auto* const control = reinterpret_cast<fw_cfg::DmaControl*>(place->data());
        const std::uint32_t operation = control->control;
        const bool is_done = perform(operation, control->address, control->length);
        control->control = is_done ? 0 : fw_cfg::dma_error;
    }

    bool perform(std::uint32_t operation, std::uint64_t address, std::uint32_t length) {
        if ((operation & fw_cfg::dma_select) != 0)
            machine_.select(static_cast<fw_cfg::Selector>(operation >> 16));
        if ((operation & fw_cfg::dma_skip) != 0) {
            machine_.position_ += length;
            return true;
        }
        const auto data = device_memory(address, length);
        if (!data)
            return false;
        if ((operation & fw_cfg::dma_read) != 0)
            return machine_.read_selected(*data);
        machine_.written_[{machine_.selected_, static_cast<std::uint32_t>(machine_.position_)}] =
            Blob(data->begin(), data->end());
        return true;
    }

    Machine& machine_;
    tdx_model::Td td_;
    std::vector<memory::PageTables::Table> pool_;
    std::optional<memory::PageTables> tables_;
    std::set<std::uint64_t> shared_once_; ///< pages that the VMM has seen
    std::size_t module_calls_ = 0;
    std::uint64_t dma_address_ = 0;
    bool sets_divisor_ = false;
    std::string line_;

  public:
    void close() { machine_.devices_are_closed_ = true; }
};

namespace {
constinit thread_local PlatformBinding* current = nullptr;
} // namespace

Outcome Machine::boot() {
    directory_item_ = directory_.value_or(make_directory());
    PlatformBinding binding(*this);
    current = &binding;
    binding.run();
    current = nullptr;
    return outcome_;
}

} // namespace tdshim::native

namespace tdshim::td {

bool module_answers_cpuid() {
    return true;
}
void tdcall(Registers& registers) {
    native::current->tdcall(registers);
}
void run_on_all_processors(void (*work)()) {
    work();
}
void park_processors() {}

} // namespace tdshim::td

namespace tdshim::x86 {

Result<void> map(const GpaRange& range, memory::Access access) {
    return native::current->map(range, access);
}
std::byte* pointer_to(Gpa address) {
    return native::current->pointer_to(address);
}

} // namespace tdshim::x86

namespace tdshim::platform {

std::string_view kind() {
    return "TD";
}
bool is_td() {
    return td::active();
}
void print(std::string_view line) {
    for (const char c : line)
        devices::print_character(c);
    devices::print_character('\n');
}
void note(std::string_view line) {
    print(line);
}
void print_end(std::string_view line) {
    print(line);
}
void be_quiet() {}
Printed printed() {
    return {};
}
std::uint32_t processors() {
    return td::info().processors;
}
Result<void> prepare_devices() {
    devices::prepare_q35();
    return {};
}
Result<MutableBytes> memory(const GpaRange& range) {
    return native::current->memory(range);
}
Result<Bytes> image(const GpaRange& range) {
    return native::current->image(range);
}
Result<void> extend_rtmr(std::uint32_t rtmr, const crypto::Digest& digest) {
    return td::extend_rtmr(rtmr, digest);
}
Result<crypto::Digest> rtmr(std::uint32_t rtmr) {
    return td::read_rtmr(rtmr);
}
Gpa private_memory_end() {
    return {td::info().shared_bit()};
}
Result<memory::AcceptanceCounts> accept_memory(const memory::AcceptancePlan& plan) {
    return td::accept_memory(plan);
}
Result<void> close_devices() {
    TRY(td::close_shared_window());
    native::current->close();
    return {};
}
std::uint64_t ticks() {
    return 0;
}
Result<void> start_linux(const GpaRange& kernel_memory, Gpa entry, Gpa boot_params) {
    TRY(native::current->map(kernel_memory, memory::Access::read_write_execute));
    td::park_processors();
    native::current->start(native::LinuxStart{kernel_memory, entry, boot_params});
    return {};
}
Result<void> protect(const GpaRange& range, memory::Access access) {
    return native::current->map(range, access);
}
Result<void> start_executable(executable::Format format, Gpa entry, Gpa hob, Gpa base) {
    td::park_processors();
    native::current->start(native::ExecutableStart{format, entry, hob, base});
    return {};
}
void halt(std::string_view reason) {
    td::report_fatal_error(reason);
}

} // namespace tdshim::platform
