// SPDX-License-Identifier: Apache-2.0
//
// Whole boots of a TD: the HOB first, memory accepted before it is used and each page once, the
// mailbox handed to Linux; and HOBs and answers of the module that end a boot.
#include <cstring>

#include <catch2/catch_test_macros.hpp>

#include "shim/formats/acpi/wire.hpp"
#include "shim/formats/efi/wire.hpp"
#include "shim/memory/layout.hpp"
#include "tests/native/inputs.hpp"
#include "tests/native/linux_params.hpp"
#include "tests/native/logged.hpp"

using namespace tdshim;
using namespace tdshim::native;

namespace {

constexpr tdx::Status already_accepted{0x0000'0B0A'0000'0000};
constexpr tdx::Status operand_invalid{0xC000'0100'0000'0001};

constexpr std::uint64_t ram = 512 * MiB + 2 * GiB; // of good_td_hob()
constexpr std::uint64_t apart = layout::shim_code.size() + layout::shim_data.size() +
                                layout::td_hob.size() + layout::event_log.size() +
                                layout::mailbox.size() + layout::shared_window.size() +
                                layout::video_memory.size();

/// Most of its memory is left to Linux.
void make_lazy_td(Machine& machine, unsigned gpa_width = 52) {
    add_good_inputs(machine);
    machine.remove_file("etc/e820");
    machine.make_td(good_td_hob(), gpa_width);
}

/// The VMM wants all memory accepted.
void make_good_td(Machine& machine, unsigned gpa_width = 52) {
    make_lazy_td(machine, gpa_width);
    machine.add_file("opt/org.tdshim/accept", text_blob("all"));
}

void check_refused(Machine& machine, std::string_view reason) {
    const Outcome outcome = machine.boot();
    CHECK_FALSE(outcome.linux);
    CHECK(outcome.refusal().starts_with(reason));
    CHECK(outcome.findings.empty());
}

/// A TD whose HOB is this one.
void check_hob_refused(std::initializer_list<HobMemory> resources, std::string_view reason) {
    Machine machine;
    add_good_inputs(machine);
    machine.make_td(td_hob(resources));
    check_refused(machine, reason);
}

/// The structures of the MADT that the XSDT leads to.
Bytes madt_structures(Machine& machine, const Outcome& outcome) {
    const auto params = params_of(machine, outcome);
    const auto rsdp = read_at<acpi::Rsdp>(machine.memory({params.acpi_rsdp_addr}, 36), 0);
    const Bytes xsdt = machine.memory({rsdp->xsdt}, 4096);
    const auto madt = read_at<le64>(xsdt, sizeof(acpi::TableHeader));
    const auto header = read_at<acpi::TableHeader>(machine.memory({*madt}, 4096), 0);
    REQUIRE(std::string_view(header->signature) == "APIC");
    return machine.memory({*madt}, header->length).subspan(sizeof(acpi::MadtHeader));
}

} // namespace

TEST_CASE("a good TD starts Linux with all memory accepted, each page once", "[native][td]") {
    for (const unsigned gpa_width : {48U, 52U, 53U}) {
        Machine machine;
        make_good_td(machine, gpa_width);
        const Outcome outcome = machine.boot();
        CHECK(outcome.refusal() == "");
        CHECK(outcome.findings.empty());
        REQUIRE(outcome.linux);
        CHECK(machine.accepted_pages().size() == (ram - apart) / page_size);
        CHECK(machine.accepted_pages().contains(0));
        CHECK(machine.accepted_pages().contains(0x9F000));
        CHECK_FALSE(machine.accepted_pages().contains(0xA0000));
        CHECK_FALSE(machine.accepted_pages().contains(0xBF000));
        CHECK(machine.accepted_pages().contains(0xC0000));
    }
}

TEST_CASE("memory that the payload does not need is left to Linux, bit by bit", "[native][td]") {
    Machine machine;
    make_lazy_td(machine);
    const Outcome outcome = machine.boot();
    CHECK(outcome.refusal() == "");
    CHECK(outcome.findings.empty());
    REQUIRE(outcome.linux);
    const auto params = params_of(machine, outcome);
    CHECK(std::string_view(params.efi_info.signature) == "EL64");
    const auto at = efi_table(machine, params, efi::unaccepted_memory_guid);
    REQUIRE(at.has_value());
    const auto table = read_memory<efi::UnacceptedMemory>(machine, *at);
    const Bytes bitmap = machine.memory({*at + sizeof(efi::UnacceptedMemory)}, table.bitmap_size);
    std::uint64_t left = 0;
    for (std::uint64_t bit = 0; bit < 8 * bitmap.size(); ++bit) {
        if ((bitmap[bit / 8] & std::byte{1} << static_cast<int>(bit % 8)) == std::byte{0})
            continue;
        ++left;
        const std::uint64_t address = table.start + bit * table.unit_size;
        for (std::uint64_t page = address; page < address + large_page_size; page += page_size)
            CHECK_FALSE(machine.accepted_pages().contains(page));
    }
    CHECK(left > 900);
    CHECK(machine.accepted_pages().size() * page_size + left * large_page_size == ram - apart);
    CHECK(machine.accepted_pages().contains(0));
    CHECK(machine.accepted_pages().contains(0xFF000));
}

TEST_CASE("Linux is told of memory that is left to it as memory", "[native][td]") {
    Machine lazy;
    make_lazy_td(lazy);
    Machine eager;
    make_good_td(eager);
    std::uint64_t sums[2]{};
    int index = 0;
    for (Machine* const machine : {&lazy, &eager}) {
        const Outcome outcome = machine->boot();
        REQUIRE(outcome.linux);
        const auto params = params_of(*machine, outcome);
        for (std::size_t i = 0; i < params.e820_entries; ++i)
            if (params.e820_table[i].type == 1)
                sums[index] += params.e820_table[i].size;
        ++index;
    }
    // The tables of the hand-over themselves are ACPI data.
    CHECK(sums[1] - sums[0] > 0);
    CHECK(sums[1] - sums[0] <= 64 * KiB);
}

TEST_CASE("for a kernel that accepts no memory all of it is accepted, each page once",
          "[native][td]") {
    Blob old = kernel_image();
    constexpr std::size_t text = 0x400; // in the setup part
    std::ranges::copy(text_blob("6.4.16-amd64 (somebody) #1 SMP"), old.begin() + text);
    set_header(old, 0x20E, le16{text - 0x200});
    Machine machine;
    make_lazy_td(machine);
    machine.file("opt/org.tdshim/kernel") = old;
    const Outcome outcome = machine.boot();
    CHECK(outcome.refusal() == "");
    CHECK(outcome.findings.empty());
    REQUIRE(outcome.linux);
    CHECK(machine.accepted_pages().size() == (ram - apart) / page_size);
    CHECK(params_of(machine, outcome).efi_info.signature[0] == 0);

    Machine with_its_own;
    make_lazy_td(with_its_own);
    old[text + 2] = std::byte{'5'};
    with_its_own.file("opt/org.tdshim/kernel") = old;
    REQUIRE(with_its_own.boot().linux);
    CHECK(with_its_own.accepted_pages().size() < (ram - apart) / page_size);
}

TEST_CASE("a kernel that runs in low memory alone does", "[native][td]") {
    // The second as Debian's memtest86+ has it, which ends in the middle of a page.
    for (const std::uint32_t init_size : {std::uint32_t{7 * MiB}, std::uint32_t{0x6ACF8}}) {
        Machine machine;
        make_lazy_td(machine);
        Blob& kernel = machine.file("opt/org.tdshim/kernel");
        set_header(kernel, 0x258, le64{1 * MiB});
        set_header(kernel, 0x260, le32{init_size});
        set_header(kernel, 0x230, le32{4096});
        set_header(kernel, 0x234, std::uint8_t{0});
        const Outcome outcome = machine.boot();
        CHECK(outcome.refusal() == "");
        REQUIRE(outcome.linux);
        CHECK(outcome.linux->entry == Gpa{1 * MiB + 0x200});
    }
}

TEST_CASE("Linux finds what was printed, to the last line", "[native][td]") {
    Machine machine;
    make_lazy_td(machine);
    const Outcome outcome = machine.boot();
    REQUIRE(outcome.linux);
    const auto at = efi_table(machine, params_of(machine, outcome), efi::debug_log_guid);
    REQUIRE(at.has_value());
    const auto log = read_memory<efi::DebugLog>(machine, *at);
    const Bytes bytes = machine.memory({*at + log.header_size}, log.end);
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    std::string expected;
    for (const std::string& line : outcome.console)
        expected += line + "\n";
    CHECK(text == expected);
    CHECK(text.contains("\ntdshim: RTMR[1] "));
    CHECK(std::string_view(log.version.data()).starts_with("tdshim "));
}

TEST_CASE("a TD whose memory is all accepted shows no EFI", "[native][td]") {
    Machine machine;
    make_good_td(machine);
    const Outcome outcome = machine.boot();
    REQUIRE(outcome.linux);
    CHECK(params_of(machine, outcome).efi_info.signature[0] == 0);
}

TEST_CASE("the policy of acceptance is measured, and no other word is taken", "[native][td]") {
    Machine machine;
    make_good_td(machine);
    REQUIRE(machine.boot().linux);
    Machine lazy;
    make_lazy_td(lazy);
    REQUIRE(lazy.boot().linux);
    CHECK(machine.registers().value(0) != lazy.registers().value(0));
    for (const auto* word : {"al", "lazy", "All", ""}) {
        Machine other;
        make_lazy_td(other);
        other.add_file("opt/org.tdshim/accept", text_blob(word));
        check_refused(other, "opt/org.tdshim/accept: ");
    }
}

TEST_CASE("a TD boots also where the VMM never gives large pages", "[native][td]") {
    Machine machine;
    make_good_td(machine);
    machine.grant_large_pages(false);
    const Outcome outcome = machine.boot();
    CHECK(outcome.findings.empty());
    REQUIRE(outcome.linux);
    CHECK(machine.acceptance_counts().large_pages == 0);
    CHECK(machine.acceptance_counts().small_pages == machine.accepted_pages().size());
}

TEST_CASE("the TD HOB is the first event, whole and to the byte", "[native][td]") {
    Machine machine;
    make_good_td(machine);
    REQUIRE(machine.boot().linux);
    const event_log::Event event = events_of(machine).value().at(0);
    CHECK(event.mr_index == 1);
    CHECK(event.digest == crypto::sha384(good_td_hob()));
    const Blob hob = good_td_hob();
    CHECK(event.data.size() == sizeof(event_log::ConfigInfo) + hob.size());
    CHECK(std::memcmp(event.data.data(), "td_hob\0\0", 8) == 0);
}

TEST_CASE("a HOB that lists added memory as unaccepted does not have it accepted", "[native][td]") {
    Machine machine;
    add_good_inputs(machine);
    machine.make_td(td_hob({{hob::ResourceType::memory_unaccepted, 0, 512 * MiB}}));
    const Outcome outcome = machine.boot();
    CHECK(outcome.findings.empty());
    REQUIRE(outcome.linux);
    CHECK_FALSE(machine.accepted_pages().contains(layout::shim_code.start().value));
    CHECK_FALSE(machine.accepted_pages().contains(layout::td_hob.start().value));
    CHECK_FALSE(machine.accepted_pages().contains(layout::mailbox.start().value));
}

TEST_CASE("Linux finds the mailbox in the MADT, behind the VMM's own structures", "[native][td]") {
    Machine machine;
    make_good_td(machine);
    const Outcome outcome = machine.boot();
    REQUIRE(outcome.linux);
    const Bytes structures = madt_structures(machine, outcome);
    REQUIRE(structures.size() == 8 + sizeof(acpi::MadtWakeupVersion1));
    const auto found = read_at<acpi::MadtWakeupVersion1>(structures, 8);
    CHECK(found->wakeup.structure.type == acpi::madt_wakeup_type);
    CHECK(found->wakeup.structure.length == 24);
    CHECK(found->wakeup.version == 1);
    CHECK(found->wakeup.mailbox == layout::mailbox.start().value);
    CHECK(found->reset_vector == 0xFFFFF000);
}

TEST_CASE("the image's place is reserved, mailbox and log are NVS", "[native][td]") {
    Machine machine;
    make_good_td(machine);
    const Outcome outcome = machine.boot();
    REQUIRE(outcome.linux);
    const auto params = params_of(machine, outcome);
    std::string types;
    for (std::size_t i = 0; i < params.e820_entries; ++i) {
        const auto range =
            GpaRange::make({params.e820_table[i].address}, params.e820_table[i].size);
        REQUIRE(range);
        for (const GpaRange& wanted : {layout::event_log, layout::mailbox, layout::reset_vector})
            if (range->contains(wanted))
                types += std::to_string(params.e820_table[i].type) + " ";
    }
    CHECK(types == "4 4 2 ");
}

TEST_CASE("a bad TD HOB ends the boot", "[native][td]") {
    using enum hob::ResourceType;
    Machine empty;
    add_good_inputs(empty);
    empty.make_td({});
    check_refused(empty, "TD HOB: TD HOB has a HOB of a wrong length");
    check_hob_refused({{memory_unaccepted, 0, 64 * MiB}, {system_memory, 32 * MiB, MiB}},
                      "TD HOB: TD HOB has resources that overlap");
    check_hob_refused({{memory_unaccepted, 0, std::uint64_t{1} << 52}},
                      "TD HOB: TD HOB has memory beyond the TD's private addresses");
    check_hob_refused({{memory_unaccepted, 16 * MiB, 64 * MiB}},
                      "TD HOB: memory map has no usable memory where the shim needs it");
    check_hob_refused({{memory_unaccepted, 0, 64 * MiB}, {memory_unaccepted, 4095 * MiB, MiB}},
                      "TD HOB: memory map has overlapping entries");
}

TEST_CASE("a TD HOB that the log has no room for is neither logged nor extended", "[native][td]") {
    Machine machine;
    add_good_inputs(machine);
    Blob hob = good_td_hob();
    // GUID HOBs are of no interest, and may be as long as they like.
    Blob padding(48 * KiB);
    for (int i = 0; i < 2; ++i) {
        overwrite(padding, 0, hob::HobHeader{4, static_cast<std::uint16_t>(padding.size()), 0});
        hob.insert(hob.begin() + sizeof(hob::Handoff), padding.begin(), padding.end());
    }
    overwrite(hob, 48, le64{layout::td_hob.start().value + hob.size()});
    machine.make_td(hob);
    check_refused(machine, "TD HOB: event log area is full");
    measure::RegisterBank expected;
    REQUIRE(expected.extend(0, crypto::sha384(bytes_of(le32{1}))));
    CHECK(machine.registers().value(0) == expected.value(0));
}

TEST_CASE("what the TDX module does not accept ends the boot", "[native][td]") {
    Machine twice;
    make_good_td(twice);
    twice.answer_acceptance({32 * MiB}, already_accepted);
    check_refused(twice, "TD HOB: page of memory was accepted before");
    Machine refused;
    make_good_td(refused);
    refused.answer_acceptance({0}, operand_invalid);
    check_refused(refused, "TD HOB: page of memory cannot be accepted");
}

TEST_CASE("a MADT with a mailbox of the VMM's, or none at all, ends the boot", "[native][td]") {
    Machine machine;
    make_good_td(machine);
    Blob& tables = machine.file("etc/acpi/tables");
    const std::size_t structure = tables.size() - 8;
    overwrite(tables, structure, acpi::MadtStructure{acpi::madt_wakeup_type, 8});
    const std::size_t checksum = tables.size() - 52 + 9;
    tables[checksum] = static_cast<std::byte>(std::to_integer<int>(tables[checksum]) - 0x10);
    check_refused(machine, "etc/acpi/rsdp: MADT of the VMM holds a wakeup mailbox of its own");

    Machine without;
    make_good_td(without);
    Blob& others = without.file("etc/acpi/tables");
    others[others.size() - 52] = std::byte{'B'};
    others[others.size() - 51] = std::byte{'O'};
    check_refused(without, "etc/acpi/rsdp: ACPI tables hold no MADT");
}
