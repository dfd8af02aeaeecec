// SPDX-License-Identifier: Apache-2.0
//
// Boots of a TD by the real code below the seam: every page is used by the view that its state asks
// for, at each width of addresses; and whatever a VMM answers ends in a boot or in a refusal.
#include <format>

#include <catch2/catch_test_macros.hpp>

#include "shim/formats/tdx/calls.hpp"
#include "shim/memory/layout.hpp"
#include "tests/native/inputs.hpp"
#include "tests/native/logged.hpp"
#include "tools/tdx-model/registers.hpp"

using namespace tdshim;
using namespace tdshim::native;
using namespace tdshim::tdx_model;

namespace {

constexpr std::uint64_t ram = 64 * MiB;
constexpr std::uint64_t apart = layout::shim_code.size() + layout::shim_data.size() +
                                layout::td_hob.size() + layout::event_log.size() +
                                layout::mailbox.size() + layout::video_memory.size();

void make_good_td(Machine& machine, unsigned gpa_width = 52) {
    add_good_inputs(machine);
    machine.remove_file("etc/e820");
    machine.make_td(td_hob({{hob::ResourceType::memory_unaccepted, 0, ram}}), gpa_width);
}

/// Calls of the VMM in a boot of make_good_td(), in this order: a chipset is looked for, fw_cfg's
/// signature and features are read, the directory's head is read by DMA through the window.
enum Call : std::size_t {
    chipset_address,
    chipset_data,
    signature_select,
    signature_first_byte,
    features_select = signature_first_byte + 4,
    features_first_byte,
    directory_select = features_first_byte + 4,
    window_map,
    first_dma_high,
    first_dma_low,
};

struct Hostile {
    const char* name;
    std::vector<Machine::Answer> answers;
    const char* refusal; ///< how it begins; empty: the boot is as with an honest VMM
};

Outcome boot_good(std::vector<Machine::Answer> answers = {}) {
    Machine machine;
    make_good_td(machine);
    for (const Machine::Answer& answer : answers)
        machine.spoil_call(answer);
    return machine.boot();
}

std::uint64_t shared(std::uint64_t address) {
    return address | std::uint64_t{1} << 51;
}

const std::vector<Hostile>& hostile_answers() {
    using namespace tdx;
    const std::uint64_t window = layout::shared_window.start().value;
    const std::uint64_t end = layout::shared_window.end().value;
    static const std::vector<Hostile> all{
        {"MapGPA is refused", {{window_map, r10, vmcall_invalid_operand}}, "fw_cfg directory: VMM"},
        {"MapGPA fails with a status that nobody knows",
         {{window_map, r10, 0x1234}},
         "fw_cfg directory: VMM"},
        {"MapGPA is to go on before its start",
         {{window_map, r10, vmcall_retry}, {window_map, r11, shared(window - page_size)}},
         "fw_cfg directory: VMM"},
        {"MapGPA is to go on at its end",
         {{window_map, r10, vmcall_retry}, {window_map, r11, shared(end)}},
         "fw_cfg directory: VMM"},
        {"MapGPA is to go on off a page",
         {{window_map, r10, vmcall_retry}, {window_map, r11, shared(window + 1)}},
         "fw_cfg directory: VMM"},
        {"MapGPA is to be tried again, which is then done",
         {{window_map, r10, vmcall_retry}, {window_map, r11, shared(window)}},
         ""},
        {"MapGPA does one page, then the rest",
         {{window_map, r10, vmcall_retry}, {window_map, r11, shared(window + page_size)}},
         ""},
        {"MapGPA names the next page without the shared bit",
         {{window_map, r10, vmcall_retry}, {window_map, r11, window + page_size}},
         ""},
        {"MapGPA is to be tried again for ever",
         {{window_map, r10, vmcall_retry},
          {window_map, r11, shared(window)},
          {window_map + 1, r10, vmcall_retry},
          {window_map + 1, r11, shared(window)},
          {window_map + 2, r10, vmcall_retry},
          {window_map + 2, r11, shared(window)},
          {window_map + 3, r10, vmcall_retry},
          {window_map + 3, r11, shared(window)}},
         "fw_cfg directory: "},
        {"fw_cfg has another signature", {{signature_first_byte, r11, 'X'}}, "fw_cfg directory: "},
        {"fw_cfg cannot be asked",
         {{signature_first_byte, r10, vmcall_invalid_operand}},
         "fw_cfg directory: "},
        {"a port answers with more bits than it has",
         {{signature_first_byte, r11, 0xFFFF'FFFF'FFFF'FF00 | 'Q'}},
         ""},
        {"the other registers come back changed",
         {{window_map, r12, 7},
          {window_map, r13, ~std::uint64_t{0}},
          {window_map, r14, 1},
          {window_map, r15, 2}},
         ""},
        {"a write to a port is refused", {{directory_select, r10, vmcall_invalid_operand}}, ""},
        {"a write to a port gives values",
         {{first_dma_low, r11, 0x41414141}, {first_dma_low, r12, 9}},
         ""},
        {"the chipset answers with garbage", {{chipset_data, r11, 0xDEAD'BEEF'1234'5678}}, ""},
        {"there is no DMA", {{features_first_byte, r11, 1}}, ""},
    };
    return all;
}

/// The VMM wants all memory accepted.
void accept_all(Machine& machine) {
    machine.add_file("opt/org.tdshim/accept", text_blob("all"));
}

void check_log(Machine& machine) {
    CHECK(count_separators(events_of(machine).value()) == 2);
    CHECK(log_leads_to_registers(machine));
}

void check_good(Machine& machine, const Outcome& outcome) {
    CHECK_FALSE(outcome.untaken_page);
    CHECK(outcome.refusal() == "");
    CHECK(outcome.findings == std::vector<std::string>{});
    CHECK(outcome.fatal_error == "");
    CHECK(outcome.linux);
    check_log(machine);
}

} // namespace

TEST_CASE("every page is used by its view, at each width and size of page", "[td_seam]") {
    for (const unsigned gpa_width : {48U, 52U, 53U})
        for (const bool has_large_pages : {true, false}) {
            INFO(gpa_width << " bits, large pages: " << has_large_pages);
            Machine machine;
            make_good_td(machine, gpa_width);
            accept_all(machine);
            machine.grant_large_pages(has_large_pages);
            check_good(machine, machine.boot());
            const auto counts = machine.acceptance_counts();
            CHECK(counts.small_pages * page_size + counts.large_pages * large_page_size ==
                  ram - apart);
            CHECK((counts.large_pages > 0) == has_large_pages);
        }
}

TEST_CASE("widths that page tables cannot express are refused", "[td_seam]") {
    for (const unsigned gpa_width : {47U, 54U, 57U}) {
        Machine machine;
        make_good_td(machine, gpa_width);
        const Outcome outcome = machine.boot();
        CHECK_FALSE(outcome.linux);
        REQUIRE(outcome.console.size() == 1);
        CHECK(outcome.console[0].starts_with("tdshim: cannot start: "));
        CHECK(outcome.fatal_error == outcome.console[0].substr(0, 64));
    }
}

TEST_CASE("the order of the calls is as the table of hostile answers has it", "[td_seam]") {
    // Wrong answers at these calls, and at no others, are noticed.
    CHECK(boot_good({{signature_first_byte, r11, 'X'}}).fatal_error != "");
    CHECK(boot_good({{window_map, r10, tdx::vmcall_invalid_operand}}).fatal_error != "");
    CHECK(boot_good({{signature_select, r11, 'X'}}).fatal_error == "");
    CHECK(boot_good({{first_dma_high, r10, 1}}).fatal_error == "");
}

TEST_CASE("whatever the VMM answers, the boot is good or refused with a reason", "[td_seam]") {
    Machine honest;
    make_good_td(honest);
    check_good(honest, honest.boot());
    for (const Hostile& row : hostile_answers()) {
        INFO(row.name);
        Machine machine;
        make_good_td(machine);
        for (const Machine::Answer& answer : row.answers)
            machine.spoil_call(answer);
        const Outcome outcome = machine.boot();
        const std::string_view refusal = row.refusal;
        if (refusal.empty()) {
            check_good(machine, outcome);
            for (std::uint32_t rtmr = 0; rtmr < 2; ++rtmr)
                CHECK(machine.registers().value(rtmr) == honest.registers().value(rtmr));
            continue;
        }
        CHECK_FALSE(outcome.linux);
        CHECK(outcome.findings == std::vector<std::string>{});
        CHECK(outcome.refusal().starts_with(refusal));
        CHECK(outcome.fatal_error == outcome.refusal().substr(0, 64));
        check_log(machine);
    }
}

TEST_CASE("a window that the VMM does not share is never used by a device", "[td_seam]") {
    // MapGPA says that it is done, and another page was meant: the entry and the state differ.
    Machine machine;
    make_good_td(machine);
    machine.answer_acceptance(layout::shared_window.start(), tdx::Status{0x0000'0B0A'0000'0000});
    const Outcome outcome = machine.boot();
    CHECK_FALSE(outcome.linux);
    CHECK(outcome.findings == std::vector<std::string>{});
    CHECK(outcome.refusal().find("accepted") != std::string::npos);
}

TEST_CASE("memory that the HOB calls added and that was not ends in a #VE", "[td_seam]") {
    Machine machine;
    add_good_inputs(machine);
    machine.remove_file("etc/e820");
    machine.make_td(td_hob({{hob::ResourceType::memory_reserved, 0, ram}}));
    const Outcome outcome = machine.boot();
    CHECK(outcome.untaken_page);
    CHECK_FALSE(outcome.linux);
    CHECK(outcome.findings == std::vector<std::string>{});
}

TEST_CASE("the watch over views sees a wrong one", "[td_seam]") {
    // The window is taken back behind the firmware's back: its entry says shared, the module
    // private.
    Machine machine;
    make_good_td(machine);
    machine.take_back_window();
    const Outcome outcome = machine.boot();
    REQUIRE_FALSE(outcome.findings.empty());
    CHECK(outcome.findings[0] == std::format("page {:#x} is pending and mapped as shared",
                                             layout::shared_window.start().value));
}

TEST_CASE("a page that goes and comes again is never accepted a second time", "[td_seam]") {
    const auto ended_by = [](std::uint64_t page, std::size_t number) {
        Machine machine;
        make_good_td(machine);
        accept_all(machine);
        machine.grant_large_pages(false);
        machine.readd_page({{page}, number});
        const Outcome outcome = machine.boot();
        CHECK(outcome.findings.empty());
        CHECK(outcome.linux.has_value() != outcome.untaken_page.has_value());
        return outcome.untaken_page;
    };
    // The shim's own pages are not accepted at all, and what it accepted is accepted once.
    for (const std::uint64_t page :
         {layout::shim_code.start().value, layout::shim_data.start().value,
          layout::td_hob.start().value, layout::event_log.start().value,
          layout::mailbox.start().value})
        for (const std::size_t number : {1UZ, 1000UZ, 9000UZ})
            CHECK(ended_by(page, number) == page);
    CHECK(ended_by(32 * MiB, 9000) == 32 * MiB);
    // One that was not accepted yet is a new page before and after.
    CHECK_FALSE(ended_by(32 * MiB, 1));
}
