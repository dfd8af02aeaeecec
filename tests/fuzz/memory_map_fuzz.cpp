// SPDX-License-Identifier: Apache-2.0
//
// The memory map under a list of operations, beside a model that knows the type of every KiB of two
// MiB of addresses and finds places by trying all of them. After each operation the map says what
// the model says, sorted and disjoint, and an allocation is the very place that the model found.

#include <algorithm>
#include <array>
#include <cstdlib>
#include <optional>
#include <vector>

#include "shim/memory/memory_map.hpp"

using namespace tdshim;
using memory::Request;

namespace {

constexpr std::size_t units = 2048;
constexpr std::uint64_t base = 4 * GiB - MiB; // half of them below 4 GiB

struct Operation {
    std::uint8_t kind;
    le16 start; ///< in KiB from base
    le16 size;
    std::uint8_t choice; ///< alignment and order, or type
};

void require(bool condition) {
    if (!condition)
        std::abort();
}

std::uint64_t address_of(std::size_t unit) {
    return base + unit * KiB;
}

/// Units from `start` on, cut at the end of what the model knows.
struct Units {
    std::size_t first;
    std::size_t last; ///< not included
    explicit Units(const Operation& operation)
        : first(operation.start % units), last(std::min(units, first + operation.size % units)) {}
    [[nodiscard]] GpaRange range() const {
        return GpaRange::between({address_of(first)}, {address_of(last)});
    }
};

constexpr std::uint32_t absent = 0;
constexpr auto usable = static_cast<std::uint32_t>(e820::Type::memory);

class Model {
  public:
    Model() {
        const auto fill = [this](std::size_t from, std::size_t to, std::uint32_t type) {
            std::fill(types.begin() + static_cast<std::ptrdiff_t>(from),
                      types.begin() + static_cast<std::ptrdiff_t>(to), type);
        };
        fill(3, 900, usable); // not a page's start
        fill(900, 950, 2);
        fill(1000, 1024, 3);
        fill(1024, 2047, usable);
    }

    [[nodiscard]] e820::Table table() const {
        e820::Table table;
        for (std::size_t unit = 0; unit < units;) {
            std::size_t end = unit;
            while (end < units && types[end] == types[unit])
                ++end;
            const auto range = GpaRange::between({address_of(unit)}, {address_of(end)});
            if (types[unit] != absent)
                require(table.push({range, static_cast<e820::Type>(types[unit])}));
            unit = end;
        }
        return table;
    }

    [[nodiscard]] bool is_all(const Units& part, std::uint32_t type) const {
        for (std::size_t unit = part.first; unit < part.last; ++unit)
            if (types[unit] != type)
                return false;
        return true;
    }

    void change(const Units& part, std::uint32_t type) {
        for (std::size_t unit = part.first; unit < part.last; ++unit)
            if (types[unit] == usable)
                types[unit] = type;
    }

    /// The place for `request`, by trying every page.
    [[nodiscard]] std::optional<GpaRange> place(const Request& request) const {
        const std::uint64_t size = (request.size + page_size - 1) / page_size * page_size;
        std::optional<GpaRange> found;
        for (std::uint64_t at = base; at < address_of(units); at += page_size) {
            const auto range = GpaRange::between({at}, {at + size});
            if (size == 0 || at % request.alignment != 0 || !is_free(range) ||
                !request.within.contains(range))
                continue;
            if (!found || request.order == Request::Order::highest_first)
                found = range;
        }
        return found;
    }

    std::array<std::uint32_t, units> types{};
    std::vector<GpaRange> used;

  private:
    [[nodiscard]] bool is_free(const GpaRange& range) const {
        if (range.end().value > address_of(units))
            return false;
        for (std::uint64_t at = range.start().value; at < range.end().value; at += KiB)
            if (types[(at - base) / KiB] != usable)
                return false;
        return std::ranges::none_of(used,
                                    [&](const GpaRange& other) { return other.overlaps(range); });
    }
};

void compare(const memory::MemoryMap& map, const Model& model) {
    std::array<std::uint32_t, units> types{};
    Gpa end{};
    for (const e820::Entry& entry : map.table()) {
        require(!entry.range.empty() && entry.range.start() >= end);
        end = entry.range.end();
        for (std::uint64_t at = entry.range.start().value; at < end.value; at += KiB)
            types.at((at - base) / KiB) = static_cast<std::uint32_t>(entry.type);
    }
    require(types == model.types);
    const auto count = static_cast<std::uint64_t>(std::ranges::count(types, usable));
    require(map.usable() == count * KiB);
}

void allocate(memory::MemoryMap& map, Model& model, const Operation& operation) {
    const Request request{.size = operation.size % 512 * std::uint64_t{512},
                          .alignment = page_size << (operation.choice % 10),
                          .within = GpaRange::between({address_of(operation.start % units)},
                                                      {address_of(units) + GiB}),
                          .order = (operation.choice & 0x80) == 0 ? Request::Order::lowest_first
                                                                  : Request::Order::highest_first};
    const auto expected = model.place(request);
    const auto place = map.allocate(request);
    if (expected && model.used.size() == memory::max_used_ranges)
        return require(!place && place.error().fault == Fault::too_many_entries);
    require(place.has_value() == expected.has_value());
    if (!place)
        return require(place.error().fault == Fault::memory_exhausted);
    require(*place == *expected && map.is_usable(*place));
    model.used.push_back(*place);
}

/// Carries one operation out on both; false when the map's table is full.
bool step(memory::MemoryMap& map, Model& model, const Operation& operation) {
    const Units part(operation);
    switch (operation.kind % 6) {
    case 0:
        if (!map.remove(part.range()))
            return false;
        model.change(part, absent);
        break;
    case 1: {
        const auto type = static_cast<std::uint32_t>(2 + operation.choice % 4);
        const auto outcome = map.retype(part.range(), static_cast<e820::Type>(type));
        if (!outcome && outcome.error().fault == Fault::too_many_entries)
            return false;
        require(part.first >= part.last || outcome.has_value() == model.is_all(part, usable));
        if (outcome)
            model.change(part, type);
        break;
    }
    case 2:
        require(map.use(part.range()).has_value() == (model.used.size() < memory::max_used_ranges));
        if (model.used.size() < memory::max_used_ranges)
            model.used.push_back(part.range());
        break;
    case 3:
        if (model.used.empty())
            break;
        map.release(model.used[operation.choice % model.used.size()]);
        model.used.erase(model.used.begin() +
                         operation.choice % static_cast<int>(model.used.size()));
        break;
    default: allocate(map, model, operation); break;
    }
    return true;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Reader reader(std::as_bytes(std::span(data, size)));
    Model model;
    memory::MemoryMap map(model.table());
    compare(map, model);
    while (const auto operation = reader.take<Operation>()) {
        if (!step(map, model, *operation))
            return 0;
        compare(map, model);
    }
    return 0;
}
