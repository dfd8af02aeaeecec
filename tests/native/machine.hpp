// SPDX-License-Identifier: Apache-2.0
//
// A machine for the boot in a host process: the other side of shim/platform/platform.hpp, with a
// VMM that hands over whatever a test says. Guest memory is a sparse mapping; a use of memory that
// the machine does not have, or a second read of the same input bytes, is a finding.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shim/base/bytes.hpp"
#include "shim/base/gpa.hpp"
#include "shim/formats/executable/program.hpp"
#include "shim/formats/fw_cfg/wire.hpp"
#include "shim/measure/register_bank.hpp"
#include "shim/memory/acceptance.hpp"

namespace tdshim::native {

using Blob = std::vector<std::byte>;

/// Guest physical addresses that a machine may have memory at.
inline constexpr std::uint64_t address_space = 16 * GiB;

/// What the boot came to.
struct LinuxStart {
    GpaRange kernel_memory;
    Gpa entry;
    Gpa boot_params;
};

struct ExecutableStart {
    executable::Format format{};
    Gpa entry;
    Gpa hob;
    Gpa base;
};

struct Outcome {
    /// Neither: the boot was refused.
    std::optional<LinuxStart> linux;
    std::optional<ExecutableStart> executable;
    std::string fatal_error; ///< what a TD told its VMM at the end, where it can
    /// A TD touched a page that it did not accept, or asked for one that the VMM does not have: the
    /// processor ended the boot, or never came back. Of a VMM that says that there is memory where
    /// there is none nothing better can be asked.
    std::optional<std::uint64_t> untaken_page;
    std::vector<std::string> console;
    std::vector<std::string> findings; ///< what the firmware must never do

    /// The line that says why the boot was refused, without its beginning; empty when it was not.
    [[nodiscard]] std::string refusal() const;
};

/// Pages of the machine's address space.
class PageSet {
  public:
    /// False when the page was there already.
    bool insert(std::uint64_t address);
    [[nodiscard]] bool contains(std::uint64_t address) const;
    [[nodiscard]] std::size_t size() const { return size_; }

  private:
    std::vector<bool> pages_;
    std::size_t size_ = 0;
};

class Machine {
  public:
    Machine();
    ~Machine();
    Machine(const Machine&) = delete;
    Machine& operator=(const Machine&) = delete;

    /// A file of the fw_cfg directory.
    void add_file(std::string_view name, Blob content);
    void remove_file(std::string_view name);
    [[nodiscard]] Blob& file(std::string_view name);
    /// A legacy item without a name.
    void set_item(fw_cfg::Selector selector, Blob content);
    /// The directory item as it stands, in place of the one that lists the files.
    void set_directory(Blob content) { directory_ = std::move(content); }
    /// The last page of the firmware image.
    void set_image_tail(Blob content) { image_tail_ = std::move(content); }
    /// Transfers from now on fail after `count` good ones.
    void fail_transfers_after(std::size_t count) { good_transfers_ = count; }

    /// Makes the machine a TD with this TD HOB, `gpa_width` bits of guest physical address, and
    /// memory that must be accepted before it is used.
    void make_td(Blob hob, unsigned gpa_width = 52);
    /// How many processors the TDX module says that a TD has; one when this is not called. Only the
    /// first one runs.
    void set_processors(std::uint32_t count) { processors_ = count; }
    /// Memory that the VMM added before the TD began to run, with this at its start.
    void place(const GpaRange& memory, Bytes content);
    /// Whether the VMM gives large pages when they are asked for; it does at first.
    void grant_large_pages(bool granted) { grants_large_pages_ = granted; }
    /// Acceptance of the page at `page` ends with this status.
    void answer_acceptance(Gpa page, tdx::Status status) { answers_[page.value] = status; }
    /// After the VMM answered its call `number`, counted from 0 without those for the console, it
    /// puts `value` into register `index` (10 to 15). For machines whose seam has TDVMCALLs.
    struct Answer {
        std::size_t number = 0;
        std::size_t index = 0;
        std::uint64_t value = 0;
    };
    void spoil_call(const Answer& answer) { spoiled_calls_.push_back(answer); }
    /// Before the TD's call `number` of the module, counted from 1, the VMM removes the private
    /// page at `page` and adds a new one there, which is pending.
    struct Readded {
        Gpa page;
        std::size_t number = 0;
    };
    void readd_page(const Readded& readded) { readded_pages_.push_back(readded); }
    /// The VMM takes shared memory back right after it gave it, and says nothing.
    void take_back_window() { takes_back_window_ = true; }
    /// Calls of the VMM so far, counted so.
    [[nodiscard]] std::size_t calls() const { return calls_; }
    /// Pages of 4 KiB that the boot accepted.
    [[nodiscard]] const PageSet& accepted_pages() const { return accepted_; }
    [[nodiscard]] const memory::AcceptanceCounts& acceptance_counts() const { return counts_; }

    /// Boots. A machine boots once.
    [[nodiscard]] Outcome boot();

    [[nodiscard]] MutableBytes memory(Gpa start, std::uint64_t size);
    [[nodiscard]] const measure::RegisterBank& registers() const { return registers_; }
    /// Bytes that write_fw_cfg() was given, by selector and offset.
    [[nodiscard]] const std::map<std::pair<fw_cfg::Selector, std::uint32_t>, Blob>&
    written() const {
        return written_;
    }
    [[nodiscard]] fw_cfg::Selector selector_of(std::string_view name) const;

  private:
    friend class PlatformBinding; // whole_seam.cpp's or td_seam.cpp's
    struct File {
        std::string name;
        Blob content;
    };
    [[nodiscard]] tdx::Status accept_page(Gpa page, tdx::PageLevel level);
    [[nodiscard]] bool is_private(const GpaRange& range) const;
    void select(fw_cfg::Selector selector);
    /// Fills `destination` from the selected item, zeros behind its end. False when the transfer is
    /// to fail.
    [[nodiscard]] bool read_selected(MutableBytes destination);
    [[nodiscard]] Blob make_directory() const;
    [[nodiscard]] const Blob* item(fw_cfg::Selector selector) const;

    std::byte* memory_ = nullptr;
    std::optional<unsigned> gpa_width_; ///< of a TD
    std::uint32_t processors_ = 1;      ///< of a TD
    std::vector<GpaRange> added_;
    bool grants_large_pages_ = true;
    bool devices_are_closed_ = false;
    std::map<std::uint64_t, tdx::Status> answers_;
    std::vector<Answer> spoiled_calls_;
    std::vector<Readded> readded_pages_;
    std::size_t calls_ = 0;
    bool takes_back_window_ = false;
    PageSet accepted_;
    memory::AcceptanceCounts counts_;
    std::vector<File> files_;
    std::map<fw_cfg::Selector, Blob> items_;
    std::optional<Blob> directory_;
    Blob image_tail_;
    Blob directory_item_;
    measure::RegisterBank registers_;
    std::map<std::pair<fw_cfg::Selector, std::uint32_t>, Blob> written_;
    std::map<fw_cfg::Selector, std::size_t> read_up_to_;
    fw_cfg::Selector selected_ = 0;
    std::size_t position_ = 0;
    std::size_t good_transfers_ = ~std::size_t{0};
    Outcome outcome_;
    std::string printed_;
};

} // namespace tdshim::native
