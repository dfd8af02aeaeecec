// SPDX-License-Identifier: Apache-2.0
//
// Memory of a payload: which of the E820 table it may use, and a heap that only grows.
#pragma once

#include <cstdint>
#include <span>

#include "shim/base/gpa.hpp"
#include "shim/base/static_vector.hpp"
#include "shim/formats/e820/e820.hpp"

namespace tdshim::runtime {

/// Hands out one range from its start on and takes nothing back.
class Heap {
  public:
    constexpr Heap() = default;
    explicit constexpr Heap(const GpaRange& memory) : memory_(memory), next_(memory.start()) {}

    /// `size` bytes at a multiple of `alignment`, a power of two. Errors: memory_exhausted.
    [[nodiscard]] Result<GpaRange> allocate(std::uint64_t size, std::uint64_t alignment);

    [[nodiscard]] const GpaRange& memory() const { return memory_; }
    [[nodiscard]] std::uint64_t left() const { return memory_.end().value - next_.value; }

  private:
    GpaRange memory_;
    Gpa next_;
};

inline constexpr std::size_t max_pieces = 8;
using Pieces = StaticVector<GpaRange, max_pieces>;

/// What is left of `range` without the `kept` ranges, in whole pages.
/// Errors: too_many_entries when that is more than max_pieces.
[[nodiscard]] Result<Pieces> without(const GpaRange& range, std::span<const GpaRange> kept);

/// The largest stretch of usable memory inside `window` without the `kept` ranges, in whole pages;
/// empty when there is none. Errors: as without().
[[nodiscard]] Result<GpaRange> largest_free(const e820::Table& memory, const GpaRange& window,
                                            std::span<const GpaRange> kept);

} // namespace tdshim::runtime
