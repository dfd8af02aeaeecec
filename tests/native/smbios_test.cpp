// SPDX-License-Identifier: Apache-2.0
//
// SMBIOS tables of the VMM's: handed on, measured, where the launch asks for it, refused where they
// are broken, and looked at in no other boot.
#include <algorithm>

#include <catch2/catch_test_macros.hpp>

#include "tests/native/inputs.hpp"
#include "tests/native/linux_params.hpp"
#include "tests/native/logged.hpp"
#include "tests/unit/support.hpp"

using namespace tdshim;
using namespace tdshim::native;

namespace {

constexpr auto item = "etc/smbios/smbios-tables";
constexpr auto wish = "opt/org.tdshim/smbios";

Blob good_tables() {
    test::Blob tables = test::Blob().dump("01 05 00 01 01").text("serial 1").dump("00 00");
    tables.dump("7F 04 FF FE 00 00");
    return {tables.view().begin(), tables.view().end()};
}

enum class Kind { plain_vm, eager_td, lazy_td };

void make(Machine& machine, Kind kind) {
    add_good_inputs(machine);
    if (kind == Kind::plain_vm)
        return;
    machine.make_td(good_td_hob());
    if (kind == Kind::eager_td)
        machine.add_file("opt/org.tdshim/accept", text_blob("all"));
}

void check_refused(const Blob& tables, std::string_view word, std::string_view reason) {
    Machine machine;
    make(machine, Kind::lazy_td);
    if (!tables.empty())
        machine.add_file(item, tables);
    machine.add_file(wish, text_blob(word));
    const Outcome outcome = machine.boot();
    CHECK_FALSE(outcome.linux);
    CHECK(outcome.findings.empty());
    INFO(outcome.refusal());
    CHECK(outcome.refusal().starts_with(reason));
    CHECK(log_leads_to_registers(machine));
}

} // namespace

TEST_CASE("SMBIOS tables that the launch asks for are measured, and Linux finds them",
          "[native][smbios]") {
    for (const Kind kind : {Kind::plain_vm, Kind::eager_td, Kind::lazy_td}) {
        INFO("kind of machine " << static_cast<int>(kind));
        Machine machine;
        make(machine, kind);
        machine.add_file(item, good_tables());
        machine.add_file(wish, text_blob("pass"));
        const Outcome outcome = machine.boot();
        CHECK(outcome.refusal() == "");
        CHECK(outcome.findings.empty());
        REQUIRE(outcome.linux);
        CHECK(
            std::ranges::equal(smbios_tables(machine, params_of(machine, outcome)), good_tables()));
        const auto events = events_of(machine).value();
        const auto digest = crypto::sha384(named_file(item, good_tables()));
        CHECK(std::ranges::count(events, digest, &event_log::Event::digest) == 1);
        CHECK(log_leads_to_registers(machine));
    }
}

TEST_CASE("SMBIOS tables that nobody asks for are not looked at", "[native][smbios]") {
    Machine without;
    make(without, Kind::lazy_td);
    REQUIRE(without.boot().linux);
    Machine machine;
    make(machine, Kind::lazy_td);
    machine.add_file(item, text_blob("no tables"));
    const Outcome outcome = machine.boot();
    REQUIRE(outcome.linux);
    CHECK(smbios_tables(machine, params_of(machine, outcome)).empty());
    CHECK(machine.registers().value(0) == without.registers().value(0));
    CHECK(machine.registers().value(1) == without.registers().value(1));
}

TEST_CASE("bad SMBIOS tables, and any other wish, are refused", "[native][smbios]") {
    check_refused(good_tables(), "Pass", "opt/org.tdshim/smbios: wish for SMBIOS tables");
    check_refused(good_tables(), "", "opt/org.tdshim/smbios: wish for SMBIOS tables");
    check_refused(good_tables(), "pass ", "opt/org.tdshim/smbios: wish for SMBIOS tables");
    check_refused({}, "pass", "etc/smbios/smbios-tables: ");
    check_refused(Blob(64 * KiB + 1), "pass", "etc/smbios/smbios-tables: fw_cfg item");
    Blob cut = good_tables();
    cut.pop_back();
    check_refused(cut, "pass", "etc/smbios/smbios-tables: strings of an SMBIOS structure");
    Blob longer = good_tables();
    longer.push_back(std::byte{0});
    check_refused(longer, "pass", "etc/smbios/smbios-tables: SMBIOS table does not end");
}
