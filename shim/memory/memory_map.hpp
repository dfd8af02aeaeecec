// SPDX-License-Identifier: Apache-2.0
//
// The guest's memory as the boot knows it: what the VMM reported, what the shim took of it, and
// what Linux will be told. Places for everything that is loaded come from here.
#pragma once

#include <cstdint>
#include <optional>

#include "shim/base/error.hpp"
#include "shim/base/gpa.hpp"
#include "shim/base/static_vector.hpp"
#include "shim/formats/e820/e820.hpp"

namespace tdshim::memory {

/// What allocate() looks for.
struct Request {
    std::uint64_t size = 0;              ///< bytes, rounded up to whole pages
    std::uint64_t alignment = page_size; ///< a power of two
    GpaRange within;                     ///< the place lies wholly inside
    enum class Order { lowest_first, highest_first } order = Order::lowest_first;
};

/// For transform_error(): that there is no memory, in words of the input that does not fit.
template <Fault InWordsOf>
[[nodiscard]] constexpr Error said_as(const Error& error) {
    if (error.fault != Fault::memory_exhausted)
        return error;
    return {InWordsOf, error.at, error.expected, error.found};
}

/// All sections of an image, and what the boot itself takes.
inline constexpr std::size_t max_used_ranges = 128;

class MemoryMap {
  public:
    /// `table` is sorted and free of overlaps; neighbours of one type become one entry.
    explicit MemoryMap(const e820::Table& table);
    constexpr MemoryMap() = default;

    /// Gives `range`, which must lie in usable memory, the type `type` in the final map.
    /// Errors: e820_no_memory, too_many_entries.
    [[nodiscard]] Result<void> retype(const GpaRange& range, e820::Type type);

    /// Takes whatever of `range` is usable memory out of the final map.
    /// Errors: too_many_entries.
    [[nodiscard]] Result<void> remove(const GpaRange& range);

    /// Adds usable memory where the map had none. Errors: e820_overlap, too_many_entries.
    [[nodiscard]] Result<void> add(const GpaRange& range);

    /// Keeps allocate() away from `range`; it stays usable memory in the final map.
    /// Errors: too_many_entries.
    [[nodiscard]] Result<void> use(const GpaRange& range);

    /// Ends the use of a range that use() or allocate() was given.
    void release(const GpaRange& range);

    /// What allocate() would give; nothing where there is none.
    [[nodiscard]] std::optional<GpaRange> find(const Request& request) const;

    /// The most bytes up to `request.size`, in whole pages, that find() would have a place for.
    [[nodiscard]] std::uint64_t largest(Request request) const;

    /// Free usable memory, in use from now on. Errors: memory_exhausted, with the largest() that
    /// there is as what was found; too_many_entries.
    [[nodiscard]] Result<GpaRange> allocate(const Request& request);

    /// Whether all of `range` is usable memory.
    [[nodiscard]] bool is_usable(const GpaRange& range) const;

    /// Usable memory in all, bytes.
    [[nodiscard]] std::uint64_t usable() const;

    [[nodiscard]] const e820::Table& table() const { return table_; }

  private:
    void join_neighbours();
    [[nodiscard]] Result<void> cut(std::size_t index, const GpaRange& range);
    e820::Table table_;
    StaticVector<GpaRange, max_used_ranges> used_;
};

} // namespace tdshim::memory
