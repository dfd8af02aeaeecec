// SPDX-License-Identifier: Apache-2.0
//
// Acceptance of a TD's memory as a plan: which ranges, in which units, made as data, looked at, and
// then carried out by one or several processors [Intel TDX Module 1.5 ABI, TDG.MEM.PAGE.ACCEPT].
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "shim/base/error.hpp"
#include "shim/base/gpa.hpp"
#include "shim/base/static_vector.hpp"
#include "shim/formats/hob/hob.hpp"
#include "shim/formats/tdx/status.hpp"

namespace tdshim::memory {

/// What one processor accepts at a time; a multiple of the large page.
inline constexpr std::uint64_t unit_size = 8 * MiB;

/// Sorted, without overlaps: what a HOB lists without what is kept, and what a boot cuts out of it.
using RangeList = StaticVector<GpaRange, 2 * hob::max_memory_ranges + 32>;

/// How much of a TD's memory is accepted at once.
enum class Extent : std::uint8_t {
    ends, ///< what is no whole large page, for Linux can be told of those alone
    all,
};

class AcceptancePlan {
  public:
    /// Of the memory of `list` that is not accepted yet, without `kept`: pages that the VMM added,
    /// for a HOB may call those unaccepted as well, and pages that are accepted apart. What
    /// `extent` does not want is left(). Errors: too_many_entries.
    [[nodiscard]] static Result<AcceptancePlan>
    make(const hob::MemoryList& list, std::span<const GpaRange> kept, Extent extent = Extent::all);

    /// Every large page of `left`, which another plan left, that `range` touches; the others are
    /// left(). Errors: too_many_entries.
    [[nodiscard]] static Result<AcceptancePlan> take(const RangeList& left, const GpaRange& range);

    /// What is to be accepted.
    [[nodiscard]] std::span<const GpaRange> ranges() const { return ranges_.view(); }
    [[nodiscard]] std::uint64_t bytes() const;

    /// What stays unaccepted: whole large pages.
    [[nodiscard]] const RangeList& left() const { return left_; }

    /// The ranges cut where addresses are multiples of unit_size.
    [[nodiscard]] std::size_t units() const;
    /// Unit `index`, which is below units().
    [[nodiscard]] GpaRange unit(std::size_t index) const;

  private:
    Result<void> add(GpaRange range, std::span<const GpaRange> kept);
    Result<void> add_piece(const GpaRange& piece);
    Extent extent_ = Extent::all;
    RangeList ranges_;
    RangeList left_;
};

/// What acceptance took.
struct AcceptanceCounts {
    std::uint64_t small_pages = 0;
    std::uint64_t large_pages = 0;
    std::uint64_t size_mismatches = 0;

    AcceptanceCounts& operator+=(const AcceptanceCounts& other) {
        small_pages += other.small_pages;
        large_pages += other.large_pages;
        size_mismatches += other.size_mismatches;
        return *this;
    }
};

/// As many large pages of a unit are tried in vain before the rest of it goes by small ones: KVM
/// backs a TD's memory by 4 KiB pages, and answers every attempt so.
inline constexpr int max_size_mismatches = 3;
/// A busy page is tried so often.
inline constexpr int max_busy_attempts = 1'000'000;

/// Accepts one page, with the patience that `busy` asks for. Any status but success, that the page
/// was accepted before among them, is an error unless the caller knows it.
template <class AcceptPage>
[[nodiscard]] tdx::Status accept_patiently(Gpa page, tdx::PageLevel level,
                                           const AcceptPage& accept_page) {
    tdx::Status status = accept_page(page, level);
    for (int attempt = 1;
         attempt < max_busy_attempts && status.status_class() == tdx::StatusClass::operand_busy;
         ++attempt)
        status = accept_page(page, level);
    return status;
}

/// Accepts `unit`, whole pages, by `accept_page(Gpa, tdx::PageLevel) -> tdx::Status`. A page that
/// was accepted before is an error: its content is not what a new page's is, zero.
/// Errors: page_already_accepted, page_not_accepted, with the address and the status.
template <class AcceptPage>
[[nodiscard]] Result<void> accept(const GpaRange& unit, AcceptanceCounts& counts,
                                  const AcceptPage& accept_page) {
    using tdx::StatusClass;
    int mismatches = 0;
    std::uint64_t small_until = 0; // a large page came out in small ones up to here
    std::uint64_t at = unit.start().value;
    while (at < unit.end().value) {
        const bool large = at >= small_until && mismatches < max_size_mismatches &&
                           is_aligned(at, large_page_size) &&
                           unit.end().value - at >= large_page_size;
        const auto level = large ? tdx::PageLevel::size_2m : tdx::PageLevel::size_4k;
        const tdx::Status status = accept_patiently({at}, level, accept_page);
        const StatusClass outcome = status.status_class();
        if (large && outcome == StatusClass::page_size_mismatch) {
            ++mismatches;
            ++counts.size_mismatches;
            small_until = at + large_page_size;
            continue;
        }
        if (outcome != StatusClass::success)
            return refuse(outcome == StatusClass::page_already_accepted
                              ? Fault::page_already_accepted
                              : Fault::page_not_accepted,
                          at, 0, status.value);
        ++(large ? counts.large_pages : counts.small_pages);
        at += large ? large_page_size : page_size;
    }
    return {};
}

} // namespace tdshim::memory
