// SPDX-License-Identifier: Apache-2.0
//
// shim/measure/measurement.hpp: registers, event types and event data byte for byte, as td-shim's
// specification 0.7, 3.5, and specs/measurement.md state them. Digests were computed by sha384sum.

#include <catch2/catch_test_macros.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "shim/measure/contents.hpp"
#include "shim/measure/measurement.hpp"
#include "tests/unit/support.hpp"

namespace tdshim::measure { namespace {

using namespace tdshim::test;

constexpr std::uint32_t ev_separator = 4;
constexpr std::uint32_t ev_platform_config_flags = 0xA;
constexpr std::uint32_t ev_efi_platform_firmware_blob2 = 0x8000000A;

constexpr std::string_view digest_of_nothing =
    "38 B0 60 A7 51 AC 96 38 4C D9 32 7E B1 B1 E3 6A 21 FD B7 11 14 BE 07 43 "
    "4C 0C C7 BF 63 F6 E1 DA 27 4E DE BF E7 6F 65 FB D5 1A D2 F1 48 98 B9 5B";
constexpr std::string_view digest_of_abc =
    "CB 00 75 3F 45 A3 5E 8B B5 A0 3D 69 9A C6 50 07 27 2C 32 AB 0E DE D1 63 "
    "1A 8B 60 5A 43 FF 5B ED 80 86 07 2B A1 E7 CC 23 58 BA EC A1 34 C8 25 A7";
constexpr std::string_view digest_of_00000000 =
    "39 43 41 B7 18 2C D2 27 C5 C6 B0 7E F8 00 0C DF D8 61 36 C4 29 2B 8E 57 "
    "65 73 AD 7E D9 AE 41 01 9F 58 18 B4 B9 71 C9 EF FC 60 E1 AD 9F 12 89 F0";
constexpr std::string_view digest_of_01000000 =
    "72 10 AF 19 14 5E C2 A8 E2 50 A7 FE 8E 9E EE AC 13 01 E5 24 DA AB 82 36 "
    "6C 36 BE 61 4D C3 54 02 A2 89 10 1E 48 CA D6 1C 45 33 7F 2F 32 C1 4F DC";

std::vector<std::byte> dump(std::string_view pairs) {
    return Blob().dump(pairs).vector();
}

const Blob abc = Blob().text("abc");

void check_abc(const Measurement& measurement, std::uint32_t rtmr, std::uint32_t type) {
    CHECK(measurement.rtmr == rtmr);
    CHECK(static_cast<std::uint32_t>(measurement.type) == type);
    CHECK(copy_of(measurement.digest) == dump(digest_of_abc));
    CHECK(measurement.hashed == 3);
}

/// An event of ours whose digest is that of all of its data, which holds "abc".
void check_named_abc(const Measurement& measurement, std::uint32_t rtmr) {
    CHECK(measurement.rtmr == rtmr);
    CHECK(static_cast<std::uint32_t>(measurement.type) == ev_platform_config_flags);
    CHECK(measurement.hashed == 3);
    std::vector<std::byte> data = copy_of(measurement.head());
    data.append_range(abc.vector());
    CHECK(measurement.digest == crypto::sha384(data));
    CHECK(copy_of(measurement.body) == abc.vector());
}

TEST_CASE("the kernel is a blob td_payload in RTMR[1]", "[measurement]") {
    const Measurement measurement = kernel({0x1122334455667788}, digest_of(abc.view()));
    check_abc(measurement, 1, ev_efi_platform_firmware_blob2);
    CHECK(copy_of(measurement.head()) == dump("0B 74 64 5F 70 61 79 6C 6F 61 64 00 "
                                              "88 77 66 55 44 33 22 11 "
                                              "03 00 00 00 00 00 00 00"));
    CHECK(measurement.body.empty());
}

TEST_CASE("what an image does about AML is a configuration aml in RTMR[0]", "[measurement]") {
    using enum tdvf::AmlPolicy;
    for (const auto policy : {refuse, drop, enrolled}) {
        const std::string text = "aml=" + std::string(name_of(policy));
        const Measurement measurement = aml_policy(policy);
        CHECK(measurement.rtmr == 0);
        CHECK(static_cast<std::uint32_t>(measurement.type) == ev_platform_config_flags);
        const std::string data = "aml" + std::string(13, '\0') +
                                 std::string{static_cast<char>(text.size()), 0, 0, 0} + text;
        CHECK(measurement.digest == crypto::sha384(bytes_of(std::string_view(data))));
        CHECK(copy_of(measurement.head()) ==
              Blob().text("aml").fill(13, 0).u32(static_cast<std::uint32_t>(text.size())).vector());
        CHECK(copy_of(measurement.body) == Blob().text(text).vector());
    }
    CHECK(text_of(measured).empty());
}

TEST_CASE("the initrd is a blob td_initrd in RTMR[1]", "[measurement]") {
    const Measurement measurement = initrd({0x1122334455667788}, digest_of(abc.view()));
    check_abc(measurement, 1, ev_efi_platform_firmware_blob2);
    CHECK(copy_of(measurement.head()) == dump("0A 74 64 5F 69 6E 69 74 72 64 00 "
                                              "88 77 66 55 44 33 22 11 "
                                              "03 00 00 00 00 00 00 00"));
    CHECK(measurement.body.empty());
}

TEST_CASE("the command line is configuration td_payload_info in RTMR[1]", "[measurement]") {
    const Measurement measurement = command_line(abc.view());
    check_abc(measurement, 1, ev_platform_config_flags);
    CHECK(copy_of(measurement.head()) == dump("74 64 5F 70 61 79 6C 6F 61 64 5F 69 6E 66 6F 00 "
                                              "03 00 00 00"));
    CHECK(copy_of(measurement.body) == abc.vector());
    CHECK(measurement.body.data() == abc.view().data());
}

TEST_CASE("an empty command line is measured as no bytes", "[measurement]") {
    const Measurement measurement = command_line({});
    CHECK(measurement.rtmr == 1);
    CHECK(copy_of(measurement.digest) == dump(digest_of_nothing));
    CHECK(copy_of(measurement.head()) == dump("74 64 5F 70 61 79 6C 6F 61 64 5F 69 6E 66 6F 00 "
                                              "00 00 00 00"));
    CHECK(measurement.body.empty());
    CHECK(measurement.hashed == 0);
}

TEST_CASE("configuration of the VMM goes to RTMR[0] with its name padded", "[measurement]") {
    const Measurement measurement = configuration("etc/e820", abc.view());
    check_named_abc(measurement, 0);
    CHECK(copy_of(measurement.head()) == dump("65 74 63 2F 65 38 32 30 00 00 00 00 00 00 00 00 "
                                              "03 00 00 00"));
    CHECK(copy_of(measurement.body) == abc.vector());
}

TEST_CASE("a descriptor of 16 characters fills its field without a NUL", "[measurement]") {
    // From the specification: "secure_policy_db".
    const Measurement measurement = configuration("secure_policy_db", abc.view());
    CHECK(copy_of(measurement.head()) == dump("73 65 63 75 72 65 5F 70 6F 6C 69 63 79 5F 64 62 "
                                              "03 00 00 00"));
}

TEST_CASE("the length of configuration is the length of all of it", "[measurement]") {
    const Blob info = Blob().fill(0x10203, 0x5A);
    const Measurement measurement = configuration("x", info.view());
    CHECK(copy_of(measurement.head().last(4)) == dump("03 02 01 00"));
    CHECK(measurement.body.size() == 0x10203);
    CHECK(measurement.hashed == 0x10203);
}

TEST_CASE("the TD HOB is measured as the list that it is", "[measurement]") {
    const Measurement measurement = td_hob(abc.view());
    check_abc(measurement, 0, ev_platform_config_flags);
    CHECK(copy_of(measurement.head()) == dump("74 64 5F 68 6F 62 00 00 00 00 00 00 00 00 00 00 "
                                              "03 00 00 00"));
}

TEST_CASE("what RTMR[1] is made of is configuration td_contents there", "[measurement]") {
    const Measurement measurement = contents(abc.view());
    check_named_abc(measurement, 1);
    CHECK(copy_of(measurement.head()) == dump("74 64 5F 63 6F 6E 74 65 6E 74 73 00 00 00 00 00 "
                                              "03 00 00 00"));
}

TEST_CASE("a configuration file is a blob with its name in RTMR[0], also in the digest",
          "[measurement]") {
    const Measurement measurement = configuration_file("etc/acpi/rsdp", {0xF5000}, abc.view());
    CHECK(measurement.rtmr == 0);
    CHECK(static_cast<std::uint32_t>(measurement.type) == ev_efi_platform_firmware_blob2);
    CHECK(measurement.digest == crypto::sha384(bytes_of(std::string_view("\x0e"
                                                                         "etc/acpi/rsdp\0"
                                                                         "abc",
                                                                         18))));
    CHECK(measurement.hashed == 3);
    CHECK(copy_of(measurement.head()) == dump("0E 65 74 63 2F 61 63 70 69 2F 72 73 64 70 00 "
                                              "00 50 0F 00 00 00 00 00 "
                                              "03 00 00 00 00 00 00 00"));
    CHECK(measurement.body.empty());
}

TEST_CASE("the longest name that fw_cfg has fits into a blob event", "[measurement]") {
    const std::string name(55, 'n');
    const Measurement measurement = configuration_file(name, {1}, abc.view());
    CHECK(copy_of(measurement.head()) == Blob().u8(56).text(name).u8(0).u64(1).u64(3).vector());
}

TEST_CASE("the digest of a blob does not depend on its place", "[measurement]") {
    CHECK(kernel({0x1000}, digest_of(abc.view())).digest ==
          kernel({0x2000}, digest_of(abc.view())).digest);
    CHECK(kernel({0x1000}, digest_of(abc.view())).digest !=
          kernel({0x1000}, digest_of(Blob().text("abd").view())).digest);
}

TEST_CASE("a bundle's manifest is configuration td_bundle in RTMR[1]", "[measurement]") {
    const Measurement measurement = bundle_manifest(abc.view());
    check_named_abc(measurement, 1);
    CHECK(copy_of(measurement.head()) == dump("74 64 5F 62 75 6E 64 6C 65 00 00 00 00 00 00 00 "
                                              "03 00 00 00"));
    CHECK(measurement.body.data() == abc.view().data());
}

TEST_CASE("a bundle's events go to their registers, whole and with nothing around",
          "[measurement]") {
    for (const std::uint32_t rtmr : {2U, 3U}) {
        const Measurement text = bundle_event(rtmr, event_log::EventType::ipl, abc.view());
        check_abc(text, rtmr, 0xD);
        CHECK(text.head().empty());
        CHECK(text.body.data() == abc.view().data());
        CHECK(text.body.size() == 3);
    }
    check_abc(bundle_event(2, event_log::EventType::event_tag, abc.view()), 2, 6);
}

TEST_CASE("what was enrolled and the key that signed go to RTMR[0]", "[measurement]") {
    const Measurement policy = secure_policy(abc.view(), Digests::named);
    check_named_abc(policy, 0);
    CHECK(copy_of(policy.head()) == dump("73 65 63 75 72 65 5F 70 6F 6C 69 63 79 5F 64 62 "
                                         "03 00 00 00"));
    const Measurement authority = secure_authority(abc.view(), Digests::named);
    check_named_abc(authority, 0);
    CHECK(copy_of(authority.head()) == dump("73 65 63 75 72 65 5F 61 75 74 68 6F 72 69 74 79 "
                                            "03 00 00 00"));
}

TEST_CASE("td-shim's digests cover the content alone", "[measurement]") {
    check_abc(secure_policy(abc.view(), Digests::td_shim), 0, ev_platform_config_flags);
    check_abc(secure_authority(abc.view(), Digests::td_shim), 0, ev_platform_config_flags);
    CHECK(payload_svn(7, Digests::td_shim).digest == digest_of(Blob().u64(7).view()).digest);
}

TEST_CASE("a secure version number is 64 bits in RTMR[1]", "[measurement]") {
    const Measurement measurement = payload_svn(0x1122334455667788, Digests::named);
    CHECK(measurement.rtmr == 1);
    CHECK(static_cast<std::uint32_t>(measurement.type) == ev_platform_config_flags);
    CHECK(copy_of(measurement.head()) == dump("74 64 5F 70 61 79 6C 6F 61 64 5F 73 76 6E 00 00 "
                                              "08 00 00 00 88 77 66 55 44 33 22 11"));
    CHECK(measurement.body.empty());
    CHECK(measurement.hashed == 8);
    CHECK(measurement.digest == crypto::sha384(measurement.head()));
}

TEST_CASE("contents name the events that follow, in their order", "[measurement]") {
    using payload::Kind;
    const auto text = [](const Contents& contents) { return std::string(contents.text().text()); };
    CHECK(text({.kind = Kind::elf}) == "td_payload=elf");
    CHECK(text({.kind = Kind::bzimage, .is_linux = true}) == "td_payload=bzimage td_payload_info");
    CHECK(text({.kind = Kind::raw_vmlinux, .entry = Gpa{0xC004321}, .is_linux = true}) ==
          "td_payload=raw-vmlinux@0xc004321 td_payload_info");
    CHECK(text({.has_svn = true,
                .kind = Kind::vmlinux,
                .has_os_release = true,
                .has_manifest = true,
                .initrds = 2,
                .is_linux = true,
                .bundle_events = {64, 1}}) ==
          "td_payload_svn td_payload=vmlinux td_osrel td_bundle td_initrd td_initrd "
          "td_payload_info rtmr2=64 rtmr3=1");
}

TEST_CASE("a separator is four zero bytes in its register", "[measurement]") {
    for (const std::uint32_t rtmr : {0U, 1U}) {
        const Measurement measurement = separator(rtmr);
        CHECK(measurement.rtmr == rtmr);
        CHECK(static_cast<std::uint32_t>(measurement.type) == ev_separator);
        CHECK(copy_of(measurement.digest) == dump(digest_of_00000000));
        CHECK(copy_of(measurement.head()) == dump("00 00 00 00"));
        CHECK(measurement.body.empty());
        CHECK(measurement.hashed == 4);
    }
}

TEST_CASE("an error's separator hashes 01000000 and logs the reason behind it", "[measurement]") {
    for (const std::uint32_t rtmr : {0U, 1U}) {
        const Measurement measurement = error_separator(rtmr, "no kernel");
        CHECK(measurement.rtmr == rtmr);
        CHECK(static_cast<std::uint32_t>(measurement.type) == ev_separator);
        CHECK(copy_of(measurement.digest) == dump(digest_of_01000000));
        CHECK(copy_of(measurement.head()) == dump("01 00 00 00"));
        CHECK(copy_of(measurement.body) == Blob().text("no kernel").vector());
        CHECK(measurement.hashed == 4);
    }
    CHECK(error_separator(0, "a").digest == error_separator(0, "b").digest);
}

}} // namespace tdshim::measure
