// SPDX-License-Identifier: Apache-2.0
//
// tools/td-emu/page_rules.hpp: tables as the shim makes them keep the rules; each change of them
// breaks the one that it should.

#include <catch2/catch_test_macros.hpp>
#include <cstring>
#include <functional>
#include <memory>
#include <string>

#include "shim/memory/layout.hpp"
#include "shim/memory/page_tables.hpp"
#include "shim/platform/x86/stacks.hpp"
#include "tools/td-emu/page_rules.hpp"

namespace tdshim::td_emu { namespace {

using memory::Access;

constexpr std::uint64_t code = layout::shim_code.start().value;
constexpr std::uint64_t constants = code + 0x11000;
constexpr std::uint64_t constants_end = constants + 0x3000;
constexpr std::uint64_t data = layout::shim_data.start().value;
constexpr std::uint64_t above_stacks = data + sizeof(x86::Stacks);
constexpr std::uint64_t kernel = 16 * MiB;

/// The shim's own pages, mapped as x86/address_space.cpp does.
class Shim {
  public:
    Shim() : pool_(64), tables_(pool_, {pool_address}) {
        map(code, constants, Access::read_execute);
        map(constants, constants_end, Access::read);
        std::uint64_t begin = data;
        for (const std::uint64_t guard : guard_pages()) {
            map(begin, guard, Access::read_write);
            begin = guard + page_size;
        }
        map(above_stacks, layout::shim_data.end().value, Access::read_write);
        map(layout::mailbox, Access::read_write);
        map(layout::event_log, Access::read_write);
        map(layout::reset_vector, Access::read_execute);
    }

    void map(const GpaRange& range, Access access) {
        REQUIRE(tables_.map(range, access).has_value());
    }
    void map(std::uint64_t from, std::uint64_t to, Access access) {
        map(GpaRange::between({from}, {to}), access);
    }

    std::vector<tdx_model::Translation> walk() const {
        const auto pages = tdx_model::walk_page_tables(
            {pool_address}, 4, [&](Gpa at, tdx_model::PageTable& content) {
                std::memcpy(&content, &pool_.at((at.value - pool_address) / page_size), page_size);
                return true;
            });
        REQUIRE(pages.has_value());
        return *pages;
    }

    std::vector<memory::PageTables::Table>& pool() { return pool_; }

  private:
    static constexpr std::uint64_t pool_address = 0xA80000;
    std::vector<memory::PageTables::Table> pool_;
    memory::PageTables tables_;
};

TEST_CASE("tables as the shim makes them keep every rule", "[page_rules]") {
    const Shim shim;
    const auto pages = shim.walk();
    const auto found = check_shim_tables(pages);
    REQUIRE(found.has_value());
    CHECK(found->code == GpaRange::between({code}, {constants}));
    CHECK(found->constants == GpaRange::between({constants}, {constants_end}));
    CHECK(writable_and_executable(pages).empty());
    CHECK_FALSE(check_null_page(pages).has_value());
    CHECK_FALSE(check_hand_over(pages, kernel).has_value());
    CHECK(guard_pages().size() == 4 + 2 * x86::max_workers);
}

TEST_CASE("each change breaks its rule", "[page_rules]") {
    struct Case {
        std::uint64_t page;
        Access access;
        std::string rule;
    };
    const std::string both = "page that is both writable and executable";
    const std::string order = "pages of the shim that are not code and behind it constants";
    const std::uint64_t guard = data + offsetof(x86::Stacks, guard_below_exceptions);
    for (const Case& change :
         {Case{code, Access::read_write_execute, both},
          Case{code, Access::read_write, "page of the shim's code or constants that is writable"},
          Case{code, Access::read, order}, Case{constants + page_size, Access::read_execute, order},
          Case{constants, Access::read_write,
               "page of the shim's code or constants that is writable"},
          Case{constants_end + page_size, Access::read, order},
          Case{above_stacks, Access::read_write_execute, both},
          Case{above_stacks, Access::read_execute, "page of the shim's data that is executable"},
          Case{above_stacks, Access::read, "page of the shim's data that is read-only"},
          Case{layout::mailbox.start().value, Access::read_write_execute, both},
          Case{layout::event_log.start().value, Access::read_execute,
               "page of the shim's data that is executable"},
          Case{guard, Access::read_write, "guard page of a stack that is present"},
          Case{layout::reset_vector.start().value, Access::read_write_execute, both},
          Case{layout::reset_vector.start().value, Access::read_write,
               "page of the image that is writable"},
          Case{layout::shim_rom.start().value, Access::read_execute,
               "page of the image that is executable"}}) {
        CAPTURE(change.page, change.rule);
        Shim shim;
        shim.map(change.page, change.page + page_size, change.access);
        const auto found = check_shim_tables(shim.walk());
        REQUIRE_FALSE(found.has_value());
        CHECK(found.error().text == change.rule);
        if (change.rule != order)
            CHECK(found.error().address == change.page);
    }
}

TEST_CASE("every guard page is looked at", "[page_rules]") {
    for (const std::uint64_t guard : guard_pages()) {
        Shim shim;
        shim.map(guard, guard + page_size, Access::read_write);
        const auto found = check_shim_tables(shim.walk());
        REQUIRE_FALSE(found.has_value());
        CHECK(found.error().address == guard);
    }
}

TEST_CASE("a page elsewhere than at its address, or of ring 3, breaks a rule", "[page_rules]") {
    const auto error_of = [](const std::function<void(std::uint64_t&)>& change) {
        Shim shim;
        shim.map(kernel, kernel + page_size, Access::read_write);
        for (auto& table : shim.pool())
            for (std::uint64_t& entry : table)
                if ((entry & 1) != 0)
                    change(entry);
        return std::string(check_shim_tables(shim.walk()).error().text);
    };
    CHECK(error_of([](std::uint64_t& entry) { entry |= 4; }) == "page of ring 3");
    CHECK(error_of([](std::uint64_t& entry) {
              if ((entry & 0xF'FFFF'FFFF'F000) == kernel)
                  entry += page_size;
          }) == "page that is not mapped at its own address");
}

TEST_CASE("page 0 is absent before the hand-over", "[page_rules]") {
    Shim shim;
    shim.map(0, page_size, Access::read);
    CHECK(check_null_page(shim.walk()).has_value());
}

TEST_CASE("a payload may have its own memory and that below 640 KiB", "[page_rules]") {
    Shim shim;
    shim.map(0, 640 * KiB, Access::read_write_execute);
    shim.map(kernel, kernel + 4 * MiB, Access::read_write_execute);
    const auto pages = shim.walk();
    CHECK(check_shim_tables(pages).has_value());
    CHECK(writable_and_executable(pages).size() == 2);
    CHECK_FALSE(check_hand_over(pages, kernel + 0x200).has_value());
    CHECK_FALSE(check_hand_over(pages, kernel + 4 * MiB - 1).has_value());
    CHECK(check_hand_over(pages, kernel + 4 * MiB).value().address == kernel);

    shim.map(640 * KiB, 641 * KiB, Access::read_write_execute);
    CHECK(check_hand_over(shim.walk(), kernel).value().address == 0);
}

TEST_CASE("the reset vector's tables give parked processors the first 2 MiB", "[page_rules]") {
    Shim shim;
    CHECK_FALSE(check_reset_tables(shim.walk(), false).has_value());
    shim.map(0, 2 * MiB, Access::read_write_execute);
    CHECK_FALSE(check_reset_tables(shim.walk(), true).has_value());
    CHECK(check_reset_tables(shim.walk(), false).value().address == 0);
    shim.map(2 * MiB, 3 * MiB, Access::read_write_execute);
    CHECK(check_reset_tables(shim.walk(), true).has_value());
}

}} // namespace tdshim::td_emu
