// SPDX-License-Identifier: Apache-2.0
//
// Whole boots of signed Linux bundles, plain VM and TD: what they bring runs and is measured, with
// the events that they want; a malformed one is refused although its signature is right, and so is
// what does not belong beside it.
#include <algorithm>
#include <functional>

#include <catch2/catch_test_macros.hpp>

#include "tests/native/linux_params.hpp"
#include "tests/native/logged.hpp"
#include "tests/native/signed_boot.hpp"
#include "tests/unit/bundle_blob.hpp"

using namespace tdshim;
using namespace tdshim::native;

namespace {

using signed_payload::Algorithm;
using test::Members;

enum Member : std::size_t { manifest, kernel, initrd, command_line, events };

std::string text_of(const Blob& blob) {
    return {reinterpret_cast<const char*>(blob.data()), blob.size()};
}

/// A good bundle whose manifest appends nothing.
Members members() {
    return {{"manifest", "tdshim-bundle 1\ncommand-line refuse\ninitrd refuse\n"},
            {"kernel", text_of(kernel_image())},
            {"initrd", "an initrd of 19 byt"},
            {"cmdline", "console=ttyS0 quiet"},
            {"events", "RTMR2:string:signed by %SIGNER%\nRTMR3:binary:00ff\n"}};
}

Blob bytes(const test::Blob& blob) {
    return {blob.view().begin(), blob.view().end()};
}

/// A boot of a bundle with nothing of the VMM's beside it.
struct BundleBoot {
    Members parts = members();
    std::function<void(Blob&)> spoil = [](Blob&) {};
    std::string beside_initrd;
    std::string beside_command_line;
    bool is_enrolled = true;

    void prepare(Machine& machine, bool is_td) const {
        Blob file = bytes(test::bundle_of(parts));
        spoil(file);
        SignedBoot boot(Algorithm::ecdsa_p384_sha384, file);
        boot.is_enrolled = is_enrolled;
        boot.key().kinds = cfv::payload_linux_bundle;
        boot.prepare(machine, is_td);
        machine.file("opt/org.tdshim/initrd") = text_blob(beside_initrd);
        machine.file("opt/org.tdshim/cmdline") = text_blob(beside_command_line);
        if (!is_enrolled)
            machine.file("opt/org.tdshim/kernel") = file;
    }
};

struct Case {
    std::string name;
    std::string reason; ///< the line, behind "opt/org.tdshim/"
    std::function<void(BundleBoot&)> change;
};

void check(const Case& expected, bool is_td) {
    INFO(expected.name << (is_td ? " in a TD" : " in a plain VM"));
    BundleBoot boot;
    expected.change(boot);
    Machine machine;
    boot.prepare(machine, is_td);
    check_refused(machine, "opt/org.tdshim/" + expected.reason);
    // Nothing of it was given to the operating system's registers.
    for (const std::uint32_t rtmr : {2U, 3U})
        CHECK(machine.registers().value(rtmr) == crypto::Digest{});
}

void check_all(const std::vector<Case>& cases) {
    for (const Case& expected : cases) {
        check(expected, false);
        check(expected, true);
    }
}

auto with(Member member, std::string content) {
    return [=](BundleBoot& boot) { boot.parts[member].second = content; };
}

auto named(Member member, std::string name) {
    return [=](BundleBoot& boot) { boot.parts[member].first = name; };
}

Case bad_events(std::string name, std::string reason, std::string text) {
    return {std::move(name), "kernel: " + std::move(reason), with(events, std::move(text))};
}

std::vector<Case> refused_containers() {
    const std::string stranger = "kernel: bundle has a member that does not belong there";
    const std::string missing = "kernel: bundle lacks its manifest or its kernel";
    return {
        {"an unexpected name", stranger, named(initrd, "ramdisk")},
        {"a path from the folder", stranger, named(kernel, "./kernel")},
        {"a path above the folder", stranger, named(initrd, "../initrd")},
        {"an absolute path", stranger, named(initrd, "/initrd")},
        {"a name in capitals", stranger, named(initrd, "Initrd")},
        {"a second kernel", "kernel: bundle has a member twice",
         [](BundleBoot& boot) { boot.parts.insert(boot.parts.begin() + 2, boot.parts[kernel]); }},
        {"a kernel behind the initrd", missing,
         [](BundleBoot& boot) { std::swap(boot.parts[kernel], boot.parts[initrd]); }},
        {"events before the command line", "kernel: bundle's members are in another order",
         [](BundleBoot& boot) { std::swap(boot.parts[command_line], boot.parts[events]); }},
        {"no manifest", missing,
         [](BundleBoot& boot) { boot.parts.erase(boot.parts.begin() + manifest); }},
        {"no kernel", missing,
         [](BundleBoot& boot) { boot.parts.erase(boot.parts.begin() + kernel); }},
        {"an empty kernel", "kernel: bundle has a member that is empty or too large",
         with(kernel, "")},
        {"a symbolic link", "kernel: bundle has a header field that is not what it has to be",
         [](BundleBoot& boot) { boot.spoil = [](Blob& file) { file[14 + 4] = std::byte{'A'}; }; }},
        {"bytes behind the end", "kernel: bundle has bytes behind its end",
         [](BundleBoot& boot) { boot.spoil = [](Blob& file) { file.resize(file.size() + 4); }; }},
        {"no end", "kernel: input ends too early",
         [](BundleBoot& boot) { boot.spoil = [](Blob& file) { file.resize(file.size() - 124); }; }},
        {"a member beyond the file", "kernel: input ends too early",
         [](BundleBoot& boot) {
             boot.spoil = [](Blob& file) {
                 const std::string_view size = "0FFFFFFF";
                 const std::string_view found(reinterpret_cast<const char*>(file.data()),
                                              file.size());
                 // The kernel's entry is the second; its size is 54 bytes in.
                 const std::size_t second = found.find("070701", 6);
                 std::ranges::copy(bytes_of(size),
                                   file.begin() + static_cast<std::ptrdiff_t>(second + 54));
             };
         }},
        {"a manifest of a later version",
         "kernel: bundle's manifest has another line than expected",
         with(manifest, "tdshim-bundle 2\ncommand-line refuse\ninitrd refuse\n")},
        {"a manifest with another word", "kernel: bundle's manifest has another line than expected",
         with(manifest, "tdshim-bundle 1\ncommand-line allow\ninitrd refuse\n")},
        {"a NUL in the command line", "kernel: bundle's command line has a NUL or a line end",
         with(command_line, std::string("a\0b", 3))},
        {"a kernel that is none", "kernel: payload is no bzImage",
         with(kernel, "not a kernel, just text")},
        {"a bundle as the kernel", "kernel: kernel of the Linux bundle is no bzImage or vmlinux",
         [](BundleBoot& boot) {
             boot.parts[kernel].second = text_of(bytes(test::bundle_of(members())));
         }},
    };
}

std::vector<Case> refused_events() {
    const std::string other = "event is for another register than RTMR2 and RTMR3";
    return {
        bad_events("the firmware's register", other, "RTMR1:string:a\n"),
        bad_events("a register that is none", other, "RTMR4:string:a\n"),
        bad_events("another PCR", other, "PCR12:string:a\n"),
        bad_events("an unknown type", "event is of another type than string and binary",
                   "RTMR2:text:a\n"),
        bad_events("no data", "event has no data", "RTMR2:string:\n"),
        bad_events("half a byte", "event's data is no even number of lower-case digits",
                   "RTMR2:binary:abc\n"),
        bad_events("too much data", "event has too much data",
                   "RTMR2:string:" + std::string(1024, 'a') + "\n"),
        bad_events("too many events", "events file has too many events",
                   [] {
                       std::string text;
                       for (int i = 0; i < 65; ++i)
                           text += "RTMR2:string:a\n";
                       return text;
                   }()),
        {"too many bytes", "kernel: bundle has a member that is empty or too large",
         with(events, std::string(8192, '#') + "\n")},
        bad_events("RTMR[2] behind RTMR[3]", "event for RTMR2 stands behind one for RTMR3",
                   "RTMR3:string:a\nRTMR2:string:b\n"),
        bad_events("no line end", "events file has a last line without line end", "RTMR2:string:a"),
        bad_events("a control character", "events file has a character that is not printable",
                   "RTMR2:string:a\tb\n"),
        bad_events("the signer twice", "event names the signer twice",
                   "RTMR2:string:%SIGNER%%SIGNER%\n"),
        bad_events("an identity with more in it",
                   "event's os-image-identity is not in its one form",
                   "PCR11:string:\"os-image-identity\":{\"svn\":\"1\",\"diskId\":\"a\","
                   "\"eventVersion\":\"1\",\"more\":\"\"}\n"),
        {"a signer, and nobody signed",
         "kernel: event names the signer, and no enrolled key signed",
         [](BundleBoot& boot) { boot.is_enrolled = false; }},
    };
}

std::vector<Case> refused_beside() {
    return {
        {"an initrd beside", "initrd: payload takes no such input beside its own files",
         [](BundleBoot& boot) { boot.beside_initrd = "another"; }},
        {"a command line beside", "cmdline: payload takes no such input beside its own files",
         [](BundleBoot& boot) { boot.beside_command_line = "init=/bin/sh"; }},
        {"a command line of one byte beside a bundle that has none",
         "cmdline: payload takes no such input beside its own files",
         [](BundleBoot& boot) {
             boot.parts.erase(boot.parts.begin() + command_line);
             boot.beside_command_line = "s";
         }},
        {"an initrd beside a bundle that has none",
         "initrd: payload takes no such input beside its own files",
         [](BundleBoot& boot) {
             boot.parts.erase(boot.parts.begin() + initrd);
             boot.beside_initrd = "another";
         }},
        {"a command line where only an initrd is appended",
         "cmdline: payload takes no such input beside its own files",
         [](BundleBoot& boot) {
             boot.parts[manifest].second = "tdshim-bundle 1\ncommand-line refuse\ninitrd append\n";
             boot.beside_initrd = "another";
             boot.beside_command_line = "init=/bin/sh";
         }},
    };
}

/// The registers of the operating system after the good bundle's events.
crypto::Digest extended_once(Bytes data) {
    measure::RegisterBank bank;
    REQUIRE(bank.extend(0, crypto::sha384(data)));
    return bank.value(0);
}

std::string hex_of(const crypto::Digest& digest) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    for (const std::byte byte : digest) {
        text += digits[std::to_integer<std::size_t>(byte >> 4)];
        text += digits[std::to_integer<std::size_t>(byte & std::byte{15})];
    }
    return text;
}

std::string_view at(Machine& machine, std::uint64_t address, std::size_t size) {
    return {reinterpret_cast<const char*>(machine.memory({address}, size).data()), size};
}

std::string_view initrd_of(Machine& machine, const linux_boot::BootParams& params) {
    const std::uint64_t high = params.ext_ramdisk_image;
    return at(machine, high << 32 | params.header.ramdisk_image, params.header.ramdisk_size);
}

} // namespace

TEST_CASE("a signed bundle is all that runs", "[native][bundle]") {
    for (const bool is_td : {false, true}) {
        const BundleBoot boot;
        Machine machine;
        boot.prepare(machine, is_td);
        const Outcome outcome = machine.boot();
        CHECK(outcome.refusal() == "");
        CHECK(outcome.findings.empty());
        REQUIRE(outcome.linux);
        const auto params = params_of(machine, outcome);
        CHECK(initrd_of(machine, params) == boot.parts[initrd].second);
        CHECK(at(machine, params.header.cmd_line_ptr, 20) ==
              std::string_view("console=ttyS0 quiet\0", 20));
        CHECK(log_leads_to_registers(machine));
        SignedBoot signer(Algorithm::ecdsa_p384_sha384);
        const std::string line = "signed by " + hex_of(signer.key().key) + std::string(1, '\0');
        CHECK(machine.registers().value(2) == extended_once(bytes_of(std::string_view(line))));
        CHECK(machine.registers().value(3) ==
              extended_once(bytes_of(std::string_view("TDSH\2\0\0\0\0\xFF", 10))));
        // SVN, kernel, manifest, initrd, command line, separator.
        const auto logged = events_of(machine).value();
        CHECK(std::ranges::count(logged, 2U, &event_log::Event::mr_index) == 7);
    }
}

TEST_CASE("what a bundle appends stands behind its own", "[native][bundle]") {
    BundleBoot boot;
    boot.parts[manifest].second = "tdshim-bundle 1\ncommand-line append\ninitrd append\n";
    boot.beside_initrd = "another";
    boot.beside_command_line = "debug";
    Machine machine;
    boot.prepare(machine, true);
    const Outcome outcome = machine.boot();
    CHECK(outcome.refusal() == "");
    REQUIRE(outcome.linux);
    const auto params = params_of(machine, outcome);
    CHECK(initrd_of(machine, params) == std::string_view("an initrd of 19 byt\0another", 27));
    CHECK(at(machine, params.header.cmd_line_ptr, 26) ==
          std::string_view("console=ttyS0 quiet debug\0", 26));
    const auto logged = events_of(machine).value();
    for (const std::string_view input :
         {"an initrd of 19 byt", "another", "console=ttyS0 quiet debug"})
        CHECK(std::ranges::contains(logged, crypto::sha384(bytes_of(input)),
                                    &event_log::Event::digest));
    CHECK(log_leads_to_registers(machine));
}

TEST_CASE("bundles that are malformed are refused, whoever signed them", "[native][bundle]") {
    check_all(refused_containers());
}

TEST_CASE("events files that are malformed are refused", "[native][bundle]") {
    check_all(refused_events());
}

TEST_CASE("nothing goes beside a bundle without its manifest's word", "[native][bundle]") {
    check_all(refused_beside());
}
