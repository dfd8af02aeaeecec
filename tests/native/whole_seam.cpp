// SPDX-License-Identifier: Apache-2.0
//
// Binds the boot's whole seam to a machine of a test: nothing of shim/platform is there.
#include <algorithm>

#include "shim/boot/boot.hpp"
#include "shim/memory/layout.hpp"
#include "shim/platform/platform.hpp"
#include "tests/native/machine.hpp"

namespace tdshim::native {
namespace {

/// Thrown where the firmware would stop or leave: the boot's functions do not return then.
struct Stopped {};

constinit thread_local Machine* current = nullptr;

} // namespace

/// As the TDX module answers where the VMM maps what it is asked for, if it has it [Intel TDX
/// Module 1.5 ABI, TDG.MEM.PAGE.ACCEPT].
tdx::Status Machine::accept_page(Gpa page, tdx::PageLevel level) {
    constexpr tdx::Status size_mismatch{0xC000'0B0B'0000'0001};
    constexpr tdx::Status operand_invalid{0xC000'0100'0000'0001};
    if (page.value >= address_space) // a HOB may promise what no VMM has
        return operand_invalid;
    if (const auto answer = answers_.find(page.value); answer != answers_.end())
        return answer->second;
    if (level == tdx::PageLevel::size_2m && !grants_large_pages_)
        return size_mismatch;
    const std::uint64_t size = level == tdx::PageLevel::size_2m ? large_page_size : page_size;
    for (std::uint64_t at = page.value; at < page.value + size; at += page_size)
        if (!accepted_.insert(at))
            outcome_.findings.push_back("a page is accepted twice");
    return {};
}

/// Whether a TD may touch `range` before anybody shares it.
bool Machine::is_private(const GpaRange& range) const {
    if (!gpa_width_)
        return true;
    for (const GpaRange& added : {layout::td_hob, layout::event_log, layout::mailbox})
        if (added.contains(range))
            return true;
    for (const GpaRange& added : added_)
        if (added.contains(range))
            return true;
    for (std::uint64_t page = align_down(range.start().value, page_size); page < range.end().value;
         page += page_size)
        if (!accepted_.contains(page))
            return false;
    return true;
}

Outcome Machine::boot() {
    directory_item_ = directory_.value_or(make_directory());
    current = this;
    try {
        boot::boot();
    } catch (const Stopped&) {
    }
    current = nullptr;
    return outcome_;
}

/// The seam's functions as members, so that they may see into the machine.
class PlatformBinding {
  public:
    static Result<MutableBytes> memory(const GpaRange& range) {
        if (range.end().value > address_space) // as the page tables' own limit, only nearer
            return refuse(Fault::range_wraps, range.start().value, address_space,
                          range.end().value);
        if (range.start().value < 1 * MiB || range.overlaps(layout::shim_code) ||
            range.overlaps(layout::shim_data))
            current->outcome_.findings.push_back("memory outside what may be used");
        if (!current->is_private(range))
            current->outcome_.findings.push_back("memory that was not accepted");
        return current->memory(range.start(), range.size());
    }

    static Result<Bytes> image(const GpaRange& range) {
        const std::uint64_t tail = layout::image_end - current->image_tail_.size();
        if (range.start().value < tail || range.end().value > layout::image_end)
            return refuse(Fault::page_tables_full);
        return Bytes(current->image_tail_).subspan(range.start().value - tail, range.size());
    }

    static void select(fw_cfg::Selector selector) { current->select(selector); }

    static bool is_td() { return current->gpa_width_.has_value(); }
    static std::uint32_t processors() { return current->processors_; }

    static Gpa private_memory_end() { return {std::uint64_t{1} << (*current->gpa_width_ - 1)}; }

    static Result<memory::AcceptanceCounts> accept(const memory::AcceptancePlan& plan) {
        const auto accept_page = [](Gpa page, tdx::PageLevel level) {
            return current->accept_page(page, level);
        };
        for (std::size_t i = 0; i < plan.units(); ++i)
            TRY(memory::accept(plan.unit(i), current->counts_, accept_page));
        return current->counts_;
    }

    static Result<void> close_devices() {
        current->devices_are_closed_ = true;
        return {};
    }

    static Result<void> read(MutableBytes destination) {
        if (current->devices_are_closed_)
            current->outcome_.findings.push_back("fw_cfg is read after its end");
        if (!current->read_selected(destination))
            return refuse(Fault::fw_cfg_transfer);
        return {};
    }

    static Result<void> write(fw_cfg::Selector selector, std::uint32_t offset, Bytes bytes) {
        current->written_[{selector, offset}] = Blob(bytes.begin(), bytes.end());
        return {};
    }

    static void print(std::string_view line) {
        current->outcome_.console.emplace_back(line);
        current->printed_.append(line).append("\n");
    }
    static platform::Printed printed() { return {.text = current->printed_, .lost = 0}; }

    static measure::RegisterBank& registers() { return current->registers_; }

    static void start(const LinuxStart& linux) {
        check_hand_over();
        current->outcome_.linux = linux;
    }
    static void start(const ExecutableStart& executable) {
        check_hand_over();
        current->outcome_.executable = executable;
    }

  private:
    static void check_hand_over() {
        if (!current->devices_are_closed_)
            current->outcome_.findings.push_back("the payload starts while memory is shared");
    }
};

} // namespace tdshim::native

namespace tdshim::platform {

using native::PlatformBinding;

std::string_view kind() {
    return "host process";
}
void print(std::string_view line) {
    PlatformBinding::print(line);
}
void note(std::string_view line) {
    PlatformBinding::print(line);
}
void print_end(std::string_view line) {
    PlatformBinding::print(line);
}
void be_quiet() {}
Printed printed() {
    return PlatformBinding::printed();
}
std::uint32_t processors() {
    return PlatformBinding::processors();
}
Result<void> prepare_devices() {
    return {};
}
Result<MutableBytes> memory(const GpaRange& range) {
    return PlatformBinding::memory(range);
}
Result<Bytes> image(const GpaRange& range) {
    return PlatformBinding::image(range);
}
Result<void> open_fw_cfg() {
    return {};
}
void select_fw_cfg(fw_cfg::Selector selector) {
    PlatformBinding::select(selector);
}
Result<void> read_fw_cfg(MutableBytes destination) {
    return PlatformBinding::read(destination);
}
Result<void> write_fw_cfg(fw_cfg::Selector selector, std::uint32_t offset, Bytes bytes) {
    return PlatformBinding::write(selector, offset, bytes);
}
Result<void> extend_rtmr(std::uint32_t rtmr, const crypto::Digest& digest) {
    return PlatformBinding::registers().extend(rtmr, digest);
}
Result<crypto::Digest> rtmr(std::uint32_t rtmr) {
    return PlatformBinding::registers().value(rtmr);
}
bool is_td() {
    return PlatformBinding::is_td();
}
Gpa private_memory_end() {
    return PlatformBinding::private_memory_end();
}
Result<memory::AcceptanceCounts> accept_memory(const memory::AcceptancePlan& plan) {
    return PlatformBinding::accept(plan);
}
Result<void> close_devices() {
    return PlatformBinding::close_devices();
}
std::uint64_t ticks() {
    return 0;
}
Result<void> start_linux(const GpaRange& kernel_memory, Gpa entry, Gpa boot_params) {
    PlatformBinding::start(native::LinuxStart{kernel_memory, entry, boot_params});
    throw native::Stopped{};
}
Result<void> protect(const GpaRange&, memory::Access) {
    return {}; // this machine has no page tables
}
Result<void> start_executable(executable::Format format, Gpa entry, Gpa hob, Gpa base) {
    PlatformBinding::start(native::ExecutableStart{format, entry, hob, base});
    throw native::Stopped{};
}
void halt(std::string_view) {
    throw native::Stopped{};
}

} // namespace tdshim::platform
