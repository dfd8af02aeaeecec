// SPDX-License-Identifier: Apache-2.0
#include "tests/native/machine.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>

#include "shim/boot/boot.hpp"
#include "shim/memory/layout.hpp"
#include "shim/platform/platform.hpp"

namespace tdshim::native {
namespace {

constexpr std::uint64_t address_space = 16 * GiB;

/// Thrown where the firmware would stop or leave: the boot's functions do not return then.
struct Stopped {};

constinit thread_local Machine* current = nullptr;

} // namespace

std::string Outcome::refusal() const {
    constexpr std::string_view beginning = "tdshim: boot refused: ";
    for (const std::string& line : console)
        if (line.starts_with(beginning))
            return line.substr(beginning.size());
    return {};
}

bool PageSet::insert(std::uint64_t address) {
    const std::uint64_t page = address / page_size;
    if (page >= pages_.size())
        pages_.resize(page + large_page_size / page_size);
    const bool is_new = !pages_[page];
    pages_[page] = true;
    size_ += is_new ? 1 : 0;
    return is_new;
}

bool PageSet::contains(std::uint64_t address) const {
    const std::uint64_t page = address / page_size;
    return page < pages_.size() && pages_[page];
}

Machine::Machine() {
    void* const mapping = mmap(nullptr, address_space, PROT_READ | PROT_WRITE,
                               MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (mapping == MAP_FAILED)
        std::abort();
    memory_ = static_cast<std::byte*>(mapping);
}

Machine::~Machine() {
    munmap(memory_, address_space);
}

void Machine::add_file(std::string_view name, Blob content) {
    files_.push_back({std::string(name), std::move(content)});
}

void Machine::remove_file(std::string_view name) {
    std::erase_if(files_, [&](const File& file) { return file.name == name; });
}

Blob& Machine::file(std::string_view name) {
    return std::ranges::find(files_, name, &File::name)->content;
}

void Machine::set_item(fw_cfg::Selector selector, Blob content) {
    items_[selector] = std::move(content);
}

fw_cfg::Selector Machine::selector_of(std::string_view name) const {
    const auto found = std::ranges::find(files_, name, &File::name);
    return static_cast<fw_cfg::Selector>(fw_cfg::first_file + (found - files_.begin()));
}

MutableBytes Machine::memory(Gpa start, std::uint64_t size) {
    return {memory_ + start.value, size};
}

Blob Machine::make_directory() const {
    Blob bytes(sizeof(be32) + files_.size() * sizeof(fw_cfg::DirectoryEntry));
    Writer writer(bytes);
    static_cast<void>(writer.put(be32{static_cast<std::uint32_t>(files_.size())}));
    for (const File& file : files_) {
        fw_cfg::DirectoryEntry entry{.size = static_cast<std::uint32_t>(file.content.size()),
                                     .select = selector_of(file.name),
                                     .reserved = 0,
                                     .name = {}};
        std::ranges::copy(file.name, entry.name.begin());
        static_cast<void>(writer.put(entry));
    }
    return bytes;
}

const Blob* Machine::item(fw_cfg::Selector selector) const {
    if (selector == fw_cfg::directory)
        return &directory_item_;
    if (selector >= fw_cfg::first_file && selector - fw_cfg::first_file < files_.size())
        return &files_[static_cast<std::size_t>(selector - fw_cfg::first_file)].content;
    const auto found = items_.find(selector);
    return found == items_.end() ? nullptr : &found->second;
}

void Machine::make_td(Blob hob, unsigned gpa_width) {
    gpa_width_ = gpa_width;
    std::ranges::copy(hob, memory(layout::td_hob.start(), hob.size()).begin());
}

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

    static void select(fw_cfg::Selector selector) {
        current->selected_ = selector;
        current->position_ = 0;
    }

    static bool is_td() { return current->gpa_width_.has_value(); }

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
        if (current->good_transfers_-- == 0)
            return refuse(Fault::fw_cfg_transfer);
        const Blob* const item = current->item(current->selected_);
        std::size_t& end = current->read_up_to_[current->selected_];
        if (current->position_ < end)
            current->outcome_.findings.push_back("an input is read twice");
        for (std::byte& byte : destination) {
            byte = item != nullptr && current->position_ < item->size()
                       ? (*item)[current->position_]
                       : std::byte{0};
            ++current->position_;
        }
        end = std::max(end, current->position_);
        return {};
    }

    static Result<void> write(fw_cfg::Selector selector, std::uint32_t offset, Bytes bytes) {
        current->written_[{selector, offset}] = Blob(bytes.begin(), bytes.end());
        return {};
    }

    static void print(std::string_view line) { current->outcome_.console.emplace_back(line); }

    static measure::RegisterBank& registers() { return current->registers_; }

    static void start(const LinuxStart& linux) {
        if (!current->devices_are_closed_)
            current->outcome_.findings.push_back("Linux starts while memory is shared");
        current->outcome_.linux = linux;
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
    PlatformBinding::start({kernel_memory, entry, boot_params});
    throw native::Stopped{};
}
void halt(std::string_view) {
    throw native::Stopped{};
}

} // namespace tdshim::platform
