// SPDX-License-Identifier: Apache-2.0
//
// shim/formats/acpi/loader: each command of QEMU's table loader, what it changes in the files, and
// every command that reaches outside them.

#include <catch2/catch_test_macros.hpp>
#include <string>
#include <vector>

#include "shim/formats/acpi/loader.hpp"
#include "tests/unit/loader_script.hpp"
#include "tests/unit/support.hpp"

namespace tdshim::acpi { namespace {

using namespace tdshim::test;

constexpr std::uint64_t tables_place = 0x1234'5000;
constexpr std::uint64_t rsdp_place = 0x7FFE'0000;
constexpr std::uint64_t high_place = 0xFFFF'FFF0;

Script opened(const ScriptBlob& blob) {
    const auto script = Script::open(blob.view());
    REQUIRE(script.has_value());
    return *script;
}

/// The only command of `blob`.
Command command_of(const ScriptBlob& blob) {
    const auto command = opened(blob).command(0);
    REQUIRE(command.has_value());
    return *command;
}

/// The refusal of the second command of `blob`.
void check_refused(const ScriptBlob& blob, Fault fault, std::uint64_t at, std::uint64_t expected,
                   std::uint64_t found) {
    require_refused(opened(blob).command(1), fault, at, expected, found);
}

ScriptBlob one_good() {
    return ScriptBlob().allocate("etc/acpi/tables");
}

/// Two files in memory, "tables" of 16 bytes 0, 1, 2... and "rsdp" of 8 zeros, and the commands on
/// them.
class Files {
  public:
    Files() {
        for (unsigned i = 0; i < 16; ++i)
            tables[i] = std::byte(static_cast<unsigned char>(i));
        add("tables", tables_place, tables);
        add("rsdp", rsdp_place, rsdp);
    }

    void add(std::string_view name, std::uint64_t place, MutableBytes content) {
        Command allocate;
        allocate.file = name;
        REQUIRE(loaded.add(allocate, {place}, content).has_value());
    }

    /// Runs the command as if it stood at `at` of a script.
    Result<void> run(const ScriptBlob& blob, std::uint64_t at = 0) {
        Command command = command_of(blob);
        command.at = at;
        if (command.kind == CommandKind::add_pointer)
            return loaded.add_pointer(command);
        return loaded.add_checksum(command);
    }

    Result<std::uint64_t> pointer_value(const ScriptBlob& blob, std::uint64_t at = 0) const {
        Command command = command_of(blob);
        command.at = at;
        return loaded.pointer_value(command);
    }

    std::vector<std::byte> tables = std::vector<std::byte>(16);
    std::vector<std::byte> rsdp = std::vector<std::byte>(8);
    LoadedFiles loaded;
};

std::vector<std::byte> bytes_from(std::string_view dump) {
    return Blob().dump(dump).vector();
}

constexpr std::string_view untouched = "00 01 02 03 04 05 06 07 08 09 0A 0B 0C 0D 0E 0F";

TEST_CASE("an allocate command is read", "[loader]") {
    const ScriptBlob blob = ScriptBlob().allocate("etc/acpi/tables", 4096, 1);
    const Command command = command_of(blob);
    CHECK(command.kind == CommandKind::allocate);
    CHECK(command.at == 0);
    CHECK(command.file == "etc/acpi/tables");
    CHECK(command.alignment == 4096);
    CHECK(command.source.empty());
    CHECK(command.pointer_size == 0);
}

TEST_CASE("an add_pointer command is read", "[loader]") {
    const ScriptBlob blob =
        one_good().add_pointer("etc/acpi/rsdp", "etc/acpi/tables", 0x12345678, 8);
    const auto command = opened(blob).command(1);
    REQUIRE(command.has_value());
    CHECK(command->kind == CommandKind::add_pointer);
    CHECK(command->at == 128);
    CHECK(command->file == "etc/acpi/rsdp");
    CHECK(command->source == "etc/acpi/tables");
    CHECK(command->offset == 0x12345678);
    CHECK(command->pointer_size == 8);
    CHECK(command->source_offset == 0);
}

TEST_CASE("an add_checksum command is read", "[loader]") {
    const ScriptBlob blob = ScriptBlob().add_checksum("etc/acpi/tables", 9, 0x1000, 0x2000);
    const Command command = command_of(blob);
    CHECK(command.kind == CommandKind::add_checksum);
    CHECK(command.file == "etc/acpi/tables");
    CHECK(command.offset == 9);
    CHECK(command.start == 0x1000);
    CHECK(command.length == 0x2000);
}

TEST_CASE("a write_pointer command is read", "[loader]") {
    const ScriptBlob blob =
        ScriptBlob().write_pointer("etc/vmgenid_addr", "etc/vmgenid_guid", 0x10, 0x28, 8);
    const Command command = command_of(blob);
    CHECK(command.kind == CommandKind::write_pointer);
    CHECK(command.file == "etc/vmgenid_addr");
    CHECK(command.source == "etc/vmgenid_guid");
    CHECK(command.offset == 0x10);
    CHECK(command.source_offset == 0x28);
    CHECK(command.pointer_size == 8);
}

TEST_CASE("zeros are padding, whatever follows their number", "[loader]") {
    const ScriptBlob blob = ScriptBlob().other(0, "", 2).other(0, "anything");
    for (std::size_t i = 0; i < 3; ++i) {
        const auto command = opened(blob).command(i);
        REQUIRE(command.has_value());
        CHECK(command->kind == CommandKind::padding);
        CHECK(command->at == i * command_size);
    }
}

TEST_CASE("a script of no commands is empty", "[loader]") {
    CHECK(opened(ScriptBlob()).size() == 0);
    CHECK(opened(one_good()).size() == 1);
}

TEST_CASE("a script that is not whole commands is refused", "[loader]") {
    const ScriptBlob blob = one_good().other(0, "");
    for (const std::size_t size : {1UZ, 127UZ, 129UZ, 255UZ})
        require_refused(Script::open(blob.view().first(size)), Fault::loader_size, size,
                        command_size, size % command_size);
}

TEST_CASE("a script of 1024 commands is read and a longer one refused", "[loader]") {
    CHECK(opened(ScriptBlob().other(0, "", 1024)).size() == 1024);
    require_refused(Script::open(ScriptBlob().other(0, "", 1025).view()), Fault::too_many_entries,
                    0, 1024, 1025);
}

TEST_CASE("there is no command behind the last", "[loader]") {
    const ScriptBlob blob = one_good();
    require_refused(opened(blob).command(1), Fault::truncated, 128, 128, 0);
}

TEST_CASE("a command of an unknown number is refused", "[loader]") {
    for (const std::uint32_t kind : {5U, 0x100U, 0x80000000U, 0xFFFFFFFFU})
        check_refused(one_good().other(kind, "etc/acpi/tables"), Fault::loader_command, 128, 4,
                      kind);
}

TEST_CASE("a file name that is empty or has no end is refused at its field", "[loader]") {
    const std::string endless(56, 'n');
    const std::string longest(55, 'n');
    const std::uint64_t file = 128 + 4;
    const std::uint64_t source = 128 + 4 + 56;
    for (const std::string_view bad : {std::string_view(), std::string_view(endless)}) {
        check_refused(one_good().allocate(bad), Fault::loader_file_name, file, 0, 0);
        check_refused(one_good().add_checksum(bad, 0, 0, 1), Fault::loader_file_name, file, 0, 0);
        check_refused(one_good().write_pointer("a", bad, 0, 0, 8), Fault::loader_file_name, source,
                      0, 0);
        check_refused(one_good().write_pointer(bad, "a", 0, 0, 8), Fault::loader_file_name, file, 0,
                      0);
        // The 57th byte of an endless name is the first of the next field, and must not end it.
        check_refused(one_good().add_pointer("a", bad, 0, 8), Fault::loader_file_name, source, 0,
                      0);
    }
    const ScriptBlob good = ScriptBlob().add_pointer(longest, longest, 0, 8);
    CHECK(command_of(good).file == longest);
    CHECK(command_of(good).source == longest);
}

TEST_CASE("an alignment is a power of two up to 64 KiB", "[loader]") {
    for (std::uint32_t alignment = 1; alignment <= 0x10000; alignment *= 2)
        CHECK(command_of(ScriptBlob().allocate("a", alignment)).alignment == alignment);
    for (const std::uint32_t alignment : {0U, 3U, 48U, 0xFFFFU, 0x20000U, 0x80000000U, 0xFFFFFFFFU})
        check_refused(one_good().allocate("a", alignment), Fault::loader_alignment, 128, 0x10000,
                      alignment);
}

TEST_CASE("a zone is high memory or the F segment", "[loader]") {
    CHECK(command_of(ScriptBlob().allocate("a", 64, 1)).kind == CommandKind::allocate);
    CHECK(command_of(ScriptBlob().allocate("a", 64, 2)).kind == CommandKind::allocate);
    for (const unsigned zone : {0U, 3U, 0x81U, 0xFFU})
        check_refused(one_good().allocate("a", 64, zone), Fault::loader_zone, 128, 1, zone);
}

TEST_CASE("a pointer has 1, 2, 4 or 8 bytes", "[loader]") {
    for (unsigned size = 0; size <= 255; ++size) {
        CAPTURE(size);
        const ScriptBlob add = one_good().add_pointer("a", "b", 0, size);
        const ScriptBlob write = one_good().write_pointer("a", "b", 0, 0, size);
        if (size == 1 || size == 2 || size == 4 || size == 8) {
            CHECK(opened(add).command(1)->pointer_size == size);
            CHECK(opened(write).command(1)->pointer_size == size);
        } else {
            check_refused(add, Fault::loader_pointer_size, 128, 8, size);
            check_refused(write, Fault::loader_pointer_size, 128, 8, size);
        }
    }
}

TEST_CASE("a loaded file is found by its name and by any address inside", "[loader]") {
    Files files;
    const LoadedFile* const tables = files.loaded.find("tables");
    REQUIRE(tables != nullptr);
    CHECK(tables->place == Gpa{tables_place});
    CHECK(tables->content.data() == files.tables.data());
    CHECK(files.loaded.find("table") == nullptr);
    CHECK(files.loaded.find("") == nullptr);

    CHECK(files.loaded.from({tables_place}).data() == files.tables.data());
    CHECK(files.loaded.from({tables_place}).size() == 16);
    CHECK(files.loaded.from({tables_place + 15}).size() == 1);
    CHECK(files.loaded.from({tables_place + 15}).data() == files.tables.data() + 15);
    CHECK(files.loaded.from({tables_place + 16}).empty());
    CHECK(files.loaded.from({tables_place - 1}).empty());
    CHECK(files.loaded.from({0}).empty());
    CHECK(files.loaded.from({rsdp_place + 3}).size() == 5);
}

TEST_CASE("of files that touch each address is found in its own", "[loader]") {
    Files files;
    std::vector<std::byte> behind(4);
    files.add("behind", tables_place + 16, behind);
    CHECK(files.loaded.from({tables_place + 16}).data() == behind.data());
    CHECK(files.loaded.from({tables_place + 15}).size() == 1);
}

TEST_CASE("a file is loaded once", "[loader]") {
    Files files;
    Command again;
    again.file = "tables";
    again.at = 0x380;
    require_refused(files.loaded.add(again, {0x1000}, files.rsdp), Fault::loader_file_twice, 0x380,
                    0, 0);
    CHECK(files.loaded.find("tables")->place == Gpa{tables_place});
}

TEST_CASE("sixteen files are loaded and one more is refused", "[loader]") {
    std::vector<std::string> names;
    for (int i = 0; i < 17; ++i)
        names.push_back("file" + std::to_string(i));
    LoadedFiles loaded;
    std::byte content{};
    Command allocate;
    allocate.at = 0x800;
    for (std::size_t i = 0; i < 16; ++i) {
        allocate.file = names[i];
        REQUIRE(loaded.add(allocate, {i * 0x1000}, MutableBytes(&content, 1)).has_value());
    }
    allocate.file = names[16];
    require_refused(loaded.add(allocate, {0x100000}, MutableBytes(&content, 1)),
                    Fault::too_many_entries, 0x800, 16, 17);
    CHECK(loaded.find("file15") != nullptr);
    CHECK(loaded.find("file16") == nullptr);
}

TEST_CASE("a pointer is the address of the source plus what stood in the field", "[loader]") {
    Files files;
    std::vector<std::byte> root = bytes_from("FF 05 00 00 00 FF 0F 00 00 00 00 00 00 00 FF FF");
    files.add("root", 0x1000, root);
    REQUIRE(files.run(ScriptBlob().add_pointer("root", "tables", 1, 4)).has_value());
    CHECK(root == bytes_from("FF 05 50 34 12 FF 0F 00 00 00 00 00 00 00 FF FF"));
    REQUIRE(files.run(ScriptBlob().add_pointer("root", "tables", 6, 8)).has_value());
    CHECK(root == bytes_from("FF 05 50 34 12 FF 0F 50 34 12 00 00 00 00 FF FF"));
    CHECK(files.tables == bytes_from(untouched));
}

TEST_CASE("a pointer of 8 bytes may lead above 4 GiB", "[loader]") {
    Files files;
    std::vector<std::byte> source(0x20);
    files.add("source", high_place, source);
    files.rsdp[0] = std::byte{0x1F};
    REQUIRE(files.run(ScriptBlob().add_pointer("rsdp", "source", 0, 8)).has_value());
    CHECK(files.rsdp == bytes_from("0F 00 00 00 01 00 00 00"));
}

TEST_CASE("pointers of 1 and 2 bytes are added where the address fits", "[loader]") {
    Files files;
    std::vector<std::byte> source(0x20);
    std::vector<std::byte> root = bytes_from("17 17 01 00 18 00 00 00");
    files.add("source", 0xE8, source);
    files.add("root", 0x1000, root);
    REQUIRE(files.run(ScriptBlob().add_pointer("root", "source", 0, 1)).has_value());
    CHECK(root == bytes_from("FF 17 01 00 18 00 00 00"));
    require_refused(files.run(ScriptBlob().add_pointer("root", "source", 4, 1), 0x80),
                    Fault::loader_pointer_size, 0x80, 1, 0x100);
    REQUIRE(files.run(ScriptBlob().add_pointer("root", "source", 4, 2)).has_value());
    CHECK(root == bytes_from("FF 17 01 00 00 01 00 00"));
}

TEST_CASE("an address that does not fit the pointer is refused", "[loader]") {
    Files files;
    std::vector<std::byte> source(0x20);
    files.add("source", high_place, source);
    files.rsdp[0] = std::byte{0x0F};
    REQUIRE(files.run(ScriptBlob().add_pointer("rsdp", "source", 0, 4)).has_value());
    CHECK(files.rsdp == bytes_from("FF FF FF FF 00 00 00 00"));
    files.rsdp[4] = std::byte{0x10};
    require_refused(files.run(ScriptBlob().add_pointer("rsdp", "source", 4, 4), 0x180),
                    Fault::loader_pointer_size, 0x180, 4, 0x1'0000'0000);
    require_refused(files.run(ScriptBlob().add_pointer("rsdp", "tables", 5, 2), 0x180),
                    Fault::loader_pointer_size, 0x180, 2, tables_place);
    CHECK(files.rsdp == bytes_from("FF FF FF FF 10 00 00 00"));
}

TEST_CASE("a pointer field lies inside its file", "[loader]") {
    Files files;
    REQUIRE(files.run(ScriptBlob().add_pointer("rsdp", "tables", 0, 8)).has_value());
    for (const std::uint32_t offset : {1U, 7U, 8U, 9U, 0xFFFFFFF8U, 0xFFFFFFFFU})
        require_refused(files.run(ScriptBlob().add_pointer("rsdp", "tables", offset, 8), 0x80),
                        Fault::loader_offset, 0x80, 8, offset);
}

TEST_CASE("a pointer leads into its source", "[loader]") {
    Files files;
    files.rsdp[0] = std::byte{15};
    REQUIRE(files.run(ScriptBlob().add_pointer("rsdp", "tables", 0, 4)).has_value());
    files.rsdp[4] = std::byte{16};
    require_refused(files.run(ScriptBlob().add_pointer("rsdp", "tables", 4, 4), 0x80),
                    Fault::loader_offset, 0x80, 16, 16);
    require_refused(files.run(ScriptBlob().add_pointer("tables", "tables", 8, 8), 0x100),
                    Fault::loader_offset, 0x100, 16, 0x0F0E0D0C0B0A0908);
    CHECK(files.tables == bytes_from(untouched));
}

TEST_CASE("an empty file cannot be pointed to", "[loader]") {
    Files files;
    files.add("empty", 0x5000, {});
    require_refused(files.run(ScriptBlob().add_pointer("rsdp", "empty", 0, 8), 0x80),
                    Fault::loader_offset, 0x80, 0, 0);
    CHECK(files.loaded.from({0x5000}).empty());
}

TEST_CASE("commands that name a file that is not loaded are refused", "[loader]") {
    Files files;
    require_refused(files.run(ScriptBlob().add_pointer("none", "tables", 0, 4), 0x80),
                    Fault::loader_file_unknown, 0x80, 0, 0);
    require_refused(files.run(ScriptBlob().add_pointer("tables", "none", 0, 4), 0x80),
                    Fault::loader_file_unknown, 0x80, 0, 0);
    require_refused(files.run(ScriptBlob().add_checksum("none", 0, 0, 1), 0x80),
                    Fault::loader_file_unknown, 0x80, 0, 0);
    require_refused(
        files.pointer_value(ScriptBlob().write_pointer("tables", "none", 0, 0, 8), 0x80),
        Fault::loader_file_unknown, 0x80, 0, 0);
    CHECK(files.tables == bytes_from(untouched));
}

TEST_CASE("a checksum makes its range sum to zero", "[loader]") {
    Files files;
    files.tables[4] = std::byte{0};
    REQUIRE(files.run(ScriptBlob().add_checksum("tables", 4, 2, 8)).has_value());
    // 2 + 3 + 5 + 6 + 7 + 8 + 9 = 40
    CHECK(files.tables == bytes_from("00 01 02 03 D8 05 06 07 08 09 0A 0B 0C 0D 0E 0F"));
}

TEST_CASE("a checksum is added to what stood in its byte", "[loader]") {
    Files files;
    REQUIRE(files.run(ScriptBlob().add_checksum("tables", 15, 1, 3)).has_value());
    CHECK(files.tables == bytes_from("00 01 02 03 04 05 06 07 08 09 0A 0B 0C 0D 0E 09"));
    REQUIRE(files.run(ScriptBlob().add_checksum("tables", 0, 15, 1)).has_value());
    CHECK(files.tables == bytes_from("F7 01 02 03 04 05 06 07 08 09 0A 0B 0C 0D 0E 09"));
}

TEST_CASE("a checksum range may be the whole file and nothing more", "[loader]") {
    Files files;
    REQUIRE(files.run(ScriptBlob().add_checksum("tables", 0, 0, 16)).has_value());
    CHECK(files.tables[0] == std::byte{0x88}); // 0 + ... + 15 = 120
    struct Range {
        std::uint32_t start;
        std::uint32_t length;
    };
    for (const auto [start, length] :
         {Range{0, 17}, Range{16, 1}, Range{15, 2}, Range{17, 1}, Range{1, 0xFFFFFFFF},
          Range{0xFFFFFFFF, 1}, Range{0xFFFFFFFF, 0xFFFFFFFF}})
        require_refused(files.run(ScriptBlob().add_checksum("tables", 0, start, length), 0x80),
                        Fault::loader_checksum_range, 0x80, 16,
                        std::uint64_t{start} + std::uint64_t{length});
    require_refused(files.run(ScriptBlob().add_checksum("tables", 0, 0, 0), 0x80),
                    Fault::loader_checksum_range, 0x80, 16, 0);
    CHECK(files.tables[0] == std::byte{0x88});
}

TEST_CASE("a checksum's byte lies inside its file", "[loader]") {
    Files files;
    for (const std::uint32_t offset : {16U, 17U, 0xFFFFFFFFU})
        require_refused(files.run(ScriptBlob().add_checksum("tables", offset, 0, 4), 0x80),
                        Fault::loader_offset, 0x80, 16, offset);
    CHECK(files.tables == bytes_from(untouched));
}

TEST_CASE("write_pointer tells the address of a place in the source", "[loader]") {
    const Files files;
    CHECK(files.pointer_value(ScriptBlob().write_pointer("vmm", "tables", 99, 0, 8)) ==
          tables_place);
    CHECK(files.pointer_value(ScriptBlob().write_pointer("vmm", "tables", 99, 15, 4)) ==
          tables_place + 15);
    for (const std::uint32_t offset : {16U, 0xFFFFFFFFU})
        require_refused(
            files.pointer_value(ScriptBlob().write_pointer("vmm", "tables", 0, offset, 8), 0x80),
            Fault::loader_offset, 0x80, 16, offset);
    require_refused(files.pointer_value(ScriptBlob().write_pointer("vmm", "tables", 0, 1, 2), 0x80),
                    Fault::loader_pointer_size, 0x80, 2, tables_place + 1);
}

}} // namespace tdshim::acpi
