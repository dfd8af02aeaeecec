// SPDX-License-Identifier: Apache-2.0
//
// shim/formats/bundle: bundles from their description, and every way to refuse one.

#include <catch2/catch_test_macros.hpp>

#include "shim/formats/bundle/builder.hpp"
#include "shim/formats/bundle/bundle.hpp"
#include "tests/unit/bundle_blob.hpp"
#include "tests/unit/support.hpp"

namespace tdshim::bundle { namespace {

using namespace tdshim::test;

// Where the entries of good_members() begin.
constexpr std::size_t manifest_at = 0;
constexpr std::size_t kernel_at = 120 + 64;
constexpr std::size_t initrd_at = kernel_at + 120 + 8;
constexpr std::size_t cmdline_at = initrd_at + 120 + 20;
constexpr std::size_t events_at = cmdline_at + 120 + 20;
constexpr std::size_t trailer_at = events_at + 120 + 16;
constexpr std::size_t good_size = trailer_at + 124;

std::string text_of(Bytes bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void refused(const Blob& file, Fault fault, std::uint64_t at, std::uint64_t expected = 0,
             std::uint64_t found = 0) {
    require_refused(parse(file.view()), fault, at, expected, found);
}

void manifest_refused(const std::string& text, Fault fault, std::uint64_t at,
                      std::uint64_t expected = 0, std::uint64_t found = 0) {
    CAPTURE(text);
    Members members = good_members();
    members[0].second = text;
    refused(bundle_of(members), fault, 120 + at, expected, found);
}

Contents contents_of(const Bundle& bundle) {
    return {.manifest = bundle.manifest,
            .kernel = bundle.kernel,
            .initrd = bundle.initrd,
            .command_line = bundle.command_line,
            .events = bundle.events};
}

TEST_CASE("a bundle is taken apart into its files, and made of them again", "[bundle]") {
    const Blob file = bundle_of(good_members());
    REQUIRE(file.size() == good_size);
    const auto bundle = parse(file.view());
    REQUIRE(bundle.has_value());
    CHECK_FALSE(bundle->manifest.appends_command_line);
    CHECK(bundle->manifest.appends_initrd);
    CHECK(bundle->manifest.title == "A test");
    CHECK(text_of(bundle->manifest_file) == good_manifest);
    CHECK(text_of(bundle->kernel) == "a kernel");
    CHECK(text_of(bundle->initrd) == "an initrd of 19 byt");
    CHECK(text_of(bundle->command_line) == "console=ttyS0 quiet");
    CHECK(text_of(bundle->events) == "RTMR2:string:a\n");
    const Contents contents = contents_of(*bundle);
    REQUIRE(size_of(contents) == file.size());
    std::vector<std::byte> copy(file.size());
    REQUIRE(write(copy, contents).has_value());
    CHECK(copy == file.vector());
}

TEST_CASE("initrd, command line, events and title may be lacking", "[bundle]") {
    const std::string manifest = "tdshim-bundle 1\ncommand-line append\ninitrd refuse\n";
    const Blob file = bundle_of({{"manifest", manifest}, {"kernel", "k"}});
    const auto bundle = parse(file.view());
    REQUIRE(bundle.has_value());
    CHECK(bundle->manifest.appends_command_line);
    CHECK_FALSE(bundle->manifest.appends_initrd);
    CHECK(bundle->manifest.title.empty());
    CHECK(bundle->initrd.empty());
    CHECK(bundle->command_line.empty());
    CHECK(bundle->events.empty());
    std::vector<std::byte> copy(file.size());
    REQUIRE(write(copy, contents_of(*bundle)).has_value());
    CHECK(copy == file.vector());
    for (const std::ptrdiff_t left_out : {2, 3, 4}) {
        Members members = good_members();
        members.erase(members.begin() + left_out);
        CHECK(parse(bundle_of(members).view()).has_value());
    }
}

TEST_CASE("a bundle's size its headers say", "[bundle]") {
    Blob memory = bundle_of(good_members());
    CHECK(has_magic(memory.view()));
    memory.fill(100, 0xEE);
    CHECK(file_size(memory.view()) == good_size);
    refused(memory, Fault::bundle_trailing, good_size, 0, 100);
    CHECK_FALSE(has_magic(memory.view().first(5)));
    CHECK_FALSE(has_magic(Blob().text("070702").view()));
}

TEST_CASE("a bundle cut short anywhere is refused", "[bundle]") {
    const Blob file = bundle_of(good_members());
    for (std::size_t size = 0; size < file.size(); ++size) {
        CAPTURE(size);
        const auto bundle = parse(file.view().first(size));
        REQUIRE_FALSE(bundle.has_value());
        CHECK(sentence(bundle.error().fault) == sentence(Fault::truncated));
        CHECK_FALSE(file_size(file.view().first(size)).has_value());
    }
}

TEST_CASE("no byte of a bundle's container has a second value", "[bundle]") {
    const Blob good = bundle_of(good_members());
    // Another size may be another bundle, of which this is the one form too.
    const auto is_other = [](const Blob& file) {
        const auto bundle = parse(file.view());
        std::vector<std::byte> copy(file.size());
        return bundle && write(copy, contents_of(*bundle)) && copy == file.vector();
    };
    const auto is_contents = [](std::size_t i) {
        return (i >= 120 && i < 120 + good_manifest.size()) ||
               (i >= kernel_at + 120 && i < kernel_at + 128) ||
               (i >= initrd_at + 120 && i < initrd_at + 139) ||
               (i >= cmdline_at + 120 && i < cmdline_at + 139) ||
               (i >= events_at + 120 && i < events_at + 135);
    };
    for (std::size_t i = 0; i < good.size(); ++i)
        for (unsigned value = 0; !is_contents(i) && value < 256; ++value) {
            if (std::byte(static_cast<unsigned char>(value)) == good.view()[i])
                continue;
            CAPTURE(i, value);
            const Blob changed = Blob(good).patch(i, 1, value);
            REQUIRE((!parse(changed.view()) || is_other(changed)));
        }
}

TEST_CASE("an entry's header has one form", "[bundle]") {
    const Blob good = bundle_of(good_members());
    refused(Blob(good).patch(kernel_at + 5, 1, '2'), Fault::bundle_magic, kernel_at);
    refused(Blob(good).patch(0, 1, 'x'), Fault::bundle_magic, 0);
    for (const char bad : {'a', 'g', 'G', ' ', '-', '+', '\0', 'x', '/', ':', '@'})
        refused(Blob(good).patch(kernel_at + 6 + 1, 1, static_cast<unsigned char>(bad)),
                Fault::bundle_number, kernel_at + 6);
    // inode, mode, user, group, links, time, devices, check
    for (const std::size_t field : {0U, 1U, 2U, 3U, 4U, 5U, 7U, 8U, 9U, 10U, 12U}) {
        const std::size_t at = initrd_at + 6 + 8 * field;
        const std::uint64_t expected = field == 1 ? 0x81A4 : field == 4 ? 1 : 0;
        refused(Blob(good).patch(at, 1, 'F'), Fault::bundle_field, at, expected,
                expected + 0xF0000000);
    }
    for (const auto& [mode, found] : {std::pair{"0000A1A4", 0xA1A4U},
                                      {"000041ED", 0x41EDU},
                                      {"000081A5", 0x81A5U},
                                      {"00000000", 0U}}) {
        Blob file;
        add_entry(file, "manifest", good_manifest, {.mode = mode});
        refused(file, Fault::bundle_field, 14, 0x81A4, found);
    }
    refused(Blob(good).patch(trailer_at + 14 + 7, 1, '1'), Fault::bundle_field, trailer_at + 14, 0,
            1);
    refused(Blob(good).patch(trailer_at + 54 + 7, 1, '1'), Fault::bundle_field, trailer_at + 54, 0,
            1);
}

TEST_CASE("only the names of a bundle are names", "[bundle]") {
    const std::vector<std::string> names{"./manifest",
                                         "/manifest",
                                         "manifest/",
                                         "../x",
                                         "..",
                                         ".",
                                         "Manifest",
                                         "manifes",
                                         "manifest2",
                                         "vmlinuz",
                                         "",
                                         "TRAILER!!",
                                         std::string("manifest\0", 9),
                                         std::string("kernel\0\0\0", 9)};
    for (const std::string& name : names) {
        CAPTURE(name);
        Blob file;
        add_entry(file, name, good_manifest);
        refused(file, Fault::bundle_name, 110);
    }
    Blob file;
    add_entry(file, "manifest-of-it", good_manifest);
    refused(file, Fault::bundle_name, 94, 11, 15);
    // No NUL, and none at all.
    refused(bundle_of(good_members()).patch(118, 1, 'x'), Fault::bundle_name, 110);
    refused(bundle_of(good_members()).patch(94, 8, 0x3030303030303030), Fault::bundle_name, 94, 11,
            0);
}

TEST_CASE("members come once and in their order", "[bundle]") {
    const Members good = good_members();
    for (std::size_t i = 0; i < good.size(); ++i) {
        CAPTURE(i);
        Members twice = good;
        twice.insert(twice.begin() + static_cast<std::ptrdiff_t>(i), good[i]);
        std::size_t at = 0;
        for (std::size_t j = 0; j <= i; ++j)
            at += 120 + (good[j].second.size() + 3) / 4 * 4;
        refused(bundle_of(twice), Fault::bundle_twice, at);
    }
    refused(bundle_of({good[0], good[1], good[3], good[2]}), Fault::bundle_order,
            initrd_at + 120 + 20);
    refused(bundle_of({good[0], good[1], good[4], good[3]}), Fault::bundle_order,
            initrd_at + 120 + 16);
    refused(bundle_of({good[1], good[0]}), Fault::bundle_missing, 0);
    refused(bundle_of({good[0], good[2]}), Fault::bundle_missing, kernel_at);
    refused(bundle_of({good[0]}), Fault::bundle_missing, kernel_at);
    refused(bundle_of({}), Fault::bundle_missing, 0);
    // What is behind the trailer is no member.
    Blob file = bundle_of({good[0], good[1]});
    const std::size_t end = file.size();
    add_entry(file, "initrd", "more");
    add_trailer(file);
    refused(file, Fault::bundle_trailing, end, 0, file.size() - end);
}

TEST_CASE("sizes are within their bounds and inside the file", "[bundle]") {
    const std::vector<std::size_t> bounds{512, 0, 0, 4096, 8192};
    const std::vector<std::size_t> at{manifest_at, kernel_at, initrd_at, cmdline_at, events_at};
    for (std::size_t i = 0; i < bounds.size(); ++i) {
        CAPTURE(i);
        Members members = good_members();
        members[i].second = "";
        refused(bundle_of(members), Fault::bundle_member_size, at[i] + 54, 1, 0);
        if (bounds[i] == 0)
            continue;
        members[i].second = std::string(bounds[i] + 1, 'x');
        refused(bundle_of(members), Fault::bundle_member_size, at[i] + 54, bounds[i],
                bounds[i] + 1);
    }
    Members members = good_members();
    members[3].second = std::string(4096, 'x');
    members[4].second = std::string(8192, '#');
    CHECK(parse(bundle_of(members).view()).has_value());
    for (const char* const size : {"FFFFFFFF", "FFFFFFFC", "80000000", "00001000"}) {
        const Blob file = bundle_of(good_members()).patch(kernel_at + 54, Blob().text(size));
        refused(file, Fault::truncated, kernel_at + 120, std::stoul(size, nullptr, 16),
                good_size - kernel_at - 120);
    }
}

TEST_CASE("padding is zero", "[bundle]") {
    const Blob good = bundle_of(good_members());
    refused(Blob(good).patch(119, 1, 1), Fault::bundle_padding, 119);
    refused(Blob(good).patch(kernel_at - 1, 1, 0xFF), Fault::bundle_padding, kernel_at - 1);
    refused(Blob(good).patch(good_size - 1, 1, 1), Fault::bundle_padding, good_size - 1);
    refused(Blob(good).u8(0), Fault::bundle_trailing, good_size, 0, 1);
    refused(Blob(good).fill(512 - good_size % 512, 0), Fault::bundle_trailing, good_size, 0,
            512 - good_size % 512);
}

TEST_CASE("a command line is one line", "[bundle]") {
    for (const char bad : {'\0', '\n', '\r'}) {
        Members members = good_members();
        members[3].second[5] = bad;
        refused(bundle_of(members), Fault::bundle_command_line, cmdline_at + 120 + 5);
    }
}

TEST_CASE("a manifest has its lines and no others", "[bundle]") {
    const std::string version = "tdshim-bundle 1\n";
    const std::string both = "command-line refuse\ninitrd refuse\n";
    for (const std::string& text :
         {"x" + version + both, "tdshim-bundle 2\n" + both, "tdshim-bundle 1\r\n" + both,
          std::string("tdshim-bundle 1"), std::string("\n"), both})
        manifest_refused(text, Fault::bundle_manifest, 0);
    for (const char* const text :
         {"initrd refuse\ncommand-line refuse\n", "command-line deny\n", "command-line refuse",
          "command-line  refuse\n", "command-line refuse \n", "Command-line refuse\n", "", "\n"})
        manifest_refused(version + text, Fault::bundle_manifest, 16);
    for (const char* const text : {"initrd\n", "initrd measure\n", "command-line refuse\n", ""})
        manifest_refused(version + "command-line refuse\n" + text, Fault::bundle_manifest, 36);
    for (const char* const text : {"\n", "title", "titel x\n", "# x\n", "initrd refuse\n"})
        manifest_refused(version + both + text, Fault::bundle_manifest, 50);
    manifest_refused(version + both + "title x", Fault::bundle_manifest, 57);
    manifest_refused(version + both + "title x\ntitle y\n", Fault::bundle_manifest, 58);
    manifest_refused(version + both + "title x\n" + std::string(1, '\0'), Fault::bundle_manifest,
                     58);
}

TEST_CASE("a title is short and printable", "[bundle]") {
    const std::string lines = "tdshim-bundle 1\ncommand-line refuse\ninitrd refuse\n";
    const auto title = [&](const std::string& text) { return lines + "title " + text + "\n"; };
    const std::string longest(64, 'x');
    CHECK(parse_manifest(bytes_of(title(longest)))->title == longest);
    CHECK(parse_manifest(bytes_of(title("a b~")))->title == "a b~");
    manifest_refused(title(""), Fault::bundle_title, 56, 1, 0);
    manifest_refused(title(longest + "x"), Fault::bundle_title, 56, 64, 65);
    manifest_refused(title(" x"), Fault::bundle_title, 56);
    manifest_refused(title("x "), Fault::bundle_title, 56);
    for (const char bad : {'\t', '\x1b', '\x7f', '\x80', '\0', '\r'})
        manifest_refused(title(std::string("x") + bad + "y"), Fault::bundle_title, 57);
}

TEST_CASE("what no bundle can hold is not written", "[bundle]") {
    const Blob kernel = Blob().text("k");
    const auto with = [&](Bytes file, std::string_view title) {
        return Contents{.manifest = {.title = title},
                        .kernel = file,
                        .initrd = {},
                        .command_line = {},
                        .events = {}};
    };
    require_refused(size_of(with({}, "")), Fault::bundle_member_size, 0, 1, 0);
    require_refused(size_of(with(kernel.view(), std::string(500, 'x'))), Fault::bundle_member_size,
                    0, 1, 0);
    const Contents good = with(kernel.view(), "");
    const std::uint64_t size = *size_of(good);
    for (const std::uint64_t other : {size - 1, size + 1, std::uint64_t{0}}) {
        std::vector<std::byte> area(other);
        require_refused(write(area, good), Fault::truncated, 0, size, other);
    }
}

}} // namespace tdshim::bundle
