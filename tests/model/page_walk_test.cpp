// SPDX-License-Identifier: Apache-2.0
//
// tools/tdx-model/page_walk.hpp: what hand-made page tables translate, by Intel SDM 3A, 4.5.

#include <catch2/catch_test_macros.hpp>
#include <map>
#include <vector>

#include "tools/tdx-model/page_walk.hpp"

namespace tdshim::tdx_model { namespace {

constexpr std::uint64_t p = 1, w = 2, u = 4, large = 0x80, nx = std::uint64_t{1} << 63;
constexpr std::uint64_t shared = std::uint64_t{1} << 51;

/// Tables by address; those that were not written to are no memory.
class Tables {
  public:
    std::uint64_t& entry(std::uint64_t table, std::size_t index) {
        return tables_[table].try_emplace(index, 0).first->second;
    }
    /// PML4, PDPT, PD and PT with one entry each, all rights given.
    Tables& chain() {
        entry(0x1000, 0) = 0x2000 | p | w | u;
        entry(0x2000, 0) = 0x3000 | p | w | u;
        entry(0x3000, 0) = 0x4000 | p | w | u;
        return *this;
    }
    std::expected<std::vector<Translation>, Gpa> walk(unsigned levels = 4) const {
        return walk_page_tables({0x1000}, levels, [&](Gpa at, PageTable& content) {
            const auto found = tables_.find(at.value);
            if (found == tables_.end())
                return false;
            content = {};
            for (const auto& [index, value] : found->second)
                content[index] = value;
            return true;
        });
    }

  private:
    std::map<std::uint64_t, std::map<std::size_t, std::uint64_t>> tables_;
};

TEST_CASE("pages of each size are found where they are", "[page_walk]") {
    Tables tables;
    tables.chain();
    tables.entry(0x4000, 5) = 0x5000 | p;
    tables.entry(0x3000, 3) = 0x80'0000 | p | w | large | nx;
    tables.entry(0x2000, 1) = 0x1'4000'0000 | p | large;
    CHECK(tables.walk().value() ==
          std::vector<Translation>{{0x5000, 0x1000, 0x5000, false, true, false},
                                   {0x60'0000, 0x20'0000, 0x80'0000, true, false, false},
                                   {0x4000'0000, 0x4000'0000, 0x1'4000'0000, false, true, false}});
}

TEST_CASE("a right must be given by every level", "[page_walk]") {
    const auto rights = [](std::uint64_t table, std::uint64_t taken, std::uint64_t added) {
        Tables tables;
        tables.chain();
        tables.entry(0x4000, 0) = 0x9000 | p | w | u;
        tables.entry(table, 0) = (tables.entry(table, 0) & ~taken) | added;
        return tables.walk().value().at(0);
    };
    for (const std::uint64_t table : {0x1000U, 0x2000U, 0x3000U, 0x4000U}) {
        CAPTURE(table);
        CHECK(rights(table, 0, 0) == Translation{0, 0x1000, 0x9000, true, true, true});
        CHECK(rights(table, w, 0) == Translation{0, 0x1000, 0x9000, false, true, true});
        CHECK(rights(table, 0, nx) == Translation{0, 0x1000, 0x9000, true, false, true});
        CHECK(rights(table, u, 0) == Translation{0, 0x1000, 0x9000, true, true, false});
    }
}

TEST_CASE("pages that follow each other with the same rights are one translation", "[page_walk]") {
    Tables tables;
    tables.chain();
    for (std::uint64_t i = 0; i < 512; ++i)
        tables.entry(0x4000, i) = i * 0x1000 | p | w | (i == 7 ? nx : 0);
    tables.entry(0x4000, 100) = 0x7700'0000 | p | w;
    tables.entry(0x4000, 200) = 0;
    tables.entry(0x3000, 1) = 0x20'0000 | p | w | large;
    CHECK(tables.walk().value() ==
          std::vector<Translation>{{0, 0x7000, 0, true, true, false},
                                   {0x7000, 0x1000, 0x7000, true, false, false},
                                   {0x8000, 0x5C000, 0x8000, true, true, false},
                                   {0x64000, 0x1000, 0x7700'0000, true, true, false},
                                   {0x65000, 0x63000, 0x65000, true, true, false},
                                   {0xC9000, 0x337000, 0xC9000, true, true, false}});
}

TEST_CASE("the upper half is canonical and bits that are no address are left out", "[page_walk]") {
    Tables tables;
    tables.entry(0x1000, 511) = 0x2000 | p | w;
    tables.entry(0x2000, 511) = 0x3000 | p | w;
    tables.entry(0x3000, 511) = 0x60'0000 | p | large | 1 << 12 | std::uint64_t{0x7F} << 52;
    CHECK(tables.walk().value() == std::vector<Translation>{{0xFFFF'FFFF'FFE0'0000, 0x20'0000,
                                                             0x60'0000, false, true, false}});
    Tables td;
    td.chain();
    td.entry(0x4000, 1) = 0x1000 | p | shared;
    CHECK(td.walk().value().at(0).physical == (0x1000 | shared));
}

TEST_CASE("five levels translate 57 bits", "[page_walk]") {
    Tables tables;
    tables.entry(0x1000, 1) = 0x2000 | p;
    tables.entry(0x2000, 0) = 0x3000 | p;
    tables.entry(0x3000, 0) = 0 | p | large;
    CHECK(tables.walk(5).value() ==
          std::vector<Translation>{{std::uint64_t{1} << 48, 0x4000'0000, 0, false, true, false}});
}

TEST_CASE("tables that are no memory or without an end are told", "[page_walk]") {
    Tables missing;
    missing.chain();
    missing.entry(0x3000, 1) = 0xABCD000 | p;
    missing.entry(0x4000, 0) = p;
    CHECK(missing.walk().error() == Gpa{0xABCD000});
    CHECK(Tables().walk().error() == Gpa{0x1000});

    Tables loop;
    for (std::size_t i = 0; i < 512; ++i)
        loop.entry(0x1000, i) = 0x1000 | p | w;
    CHECK(loop.walk().error() == Gpa{0x1000});
}

}} // namespace tdshim::tdx_model
