// SPDX-License-Identifier: Apache-2.0
//
// tools/measurements: what of a log its digests cover, what td_contents names, and what the OS
// appended.

#include <catch2/catch_test_macros.hpp>
#include <cstring>

#include "tests/unit/boot_log.hpp"

namespace tdshim::tools { namespace {

using namespace tdshim::test;
using namespace tdshim::measure;

using Bytestring = std::vector<std::byte>;

std::vector<std::string> texts(const std::vector<Finding>& findings) {
    std::vector<std::string> texts;
    for (const Finding& finding : findings)
        texts.push_back(finding.text);
    return texts;
}

/// What a check of `bytes` says, beside what `boot` had.
std::vector<Finding> check(Bytes bytes, const std::optional<TdRegisters>& td,
                           const std::optional<Policy>& policy = std::nullopt) {
    const auto log = decode_log(bytes);
    REQUIRE(log.has_value());
    REQUIRE_FALSE(log->error.has_value());
    return differences(*log, coverage_of(*log), td, policy);
}

LogCoverage coverage(const Blob& bytes) {
    const auto log = decode_log(bytes.view());
    REQUIRE(log.has_value());
    return coverage_of(*log);
}

/// What is wrong first with the log of these events; empty: nothing.
std::string first_finding(const std::vector<Measurement>& events) {
    BootLog boot;
    for (const Measurement& event : events)
        boot.add(event);
    const auto all = texts(coverage(boot.log()).findings);
    return all.empty() ? std::string() : all[0];
}

/// `log` with `to` where `from` stood, which is as long.
Bytestring replaced(const Blob& log, std::string_view from, std::string_view to) {
    Bytestring bytes = log.vector();
    const auto found = std::ranges::search(bytes, bytes_of(from));
    REQUIRE_FALSE(found.empty());
    std::ranges::copy(bytes_of(to), found.begin());
    return bytes;
}

bool starts(const std::string& text, std::string_view start) {
    INFO(text);
    CHECK(text.starts_with(start));
    return text.starts_with(start);
}

TEST_CASE("each event's digest covers what its kind says", "[coverage]") {
    const LogCoverage found = coverage(running_bundle().log());
    CHECK(found.findings.empty());
    std::vector<Covered> covered;
    std::string named;
    for (const EventCoverage& event : found.events) {
        covered.push_back(event.covered);
        named += event.is_named ? 'n' : event.is_appended ? 'a' : '-';
    }
    using enum Covered;
    CHECK(covered == std::vector{content, data,    data, nothing, nothing, data, data,
                                 data,    nothing, data, nothing, content, data, data,
                                 data,    data,    data, data,    nothing, data, data});
    CHECK(named == "------nnnnnn----naaaa");
    CHECK(found.appended == std::array<std::size_t, 4>{0, 0, 2, 2});
}

TEST_CASE("a text that was changed in a log is not what was measured", "[coverage]") {
    const BootLog boot = bundle_boot();
    const auto changed = replaced(boot.log(), "console=ttyS0", "console=ttyS1");
    for (const auto& policy : {std::optional<Policy>{}, std::optional{boot.policy()}}) {
        const auto found = texts(check(changed, boot.td(), policy));
        REQUIRE(found.size() == 1);
        CHECK(starts(found[0], "RTMR[1] event 5 at offset 0x"));
        CHECK(found[0].ends_with("td_payload_info is not what was measured: its digest is of "
                                 "other data"));
    }
    CHECK(check(replaced(boot.log(), "lazy", "lazz"), boot.td()).size() == 1);
    CHECK(check(replaced(boot.log(), "identity", "identify"), boot.td()).size() == 1);
    CHECK(check(replaced(boot.log(), "secure_policy_db", "secure_policy_dc"), boot.td()).size() ==
          1);
}

/// A unified kernel image with an .osrel section and no initrd.
BootLog uki_boot(const Measurement& second) {
    BootLog boot;
    boot.add(contents(bytes_of(std::string_view("td_payload=bzimage td_osrel td_payload_info"))))
        .add(kernel(Gpa{0x1000000}, file("K")))
        .add(second)
        .add(command_line(bytes_of(std::string_view("c"))))
        .add(separator(0))
        .add(separator(1));
    return boot;
}

TEST_CASE("an event that was renamed is not the one that td_contents names", "[coverage]") {
    const BootLog real = uki_boot(os_release(Gpa{0x2000000}, file("I")));
    CHECK(check(real.log().vector(), real.td(), real.policy()).empty());
    const BootLog renamed = uki_boot(initrd(Gpa{0x2000000}, file("I")));
    REQUIRE(renamed.td().info.rtmr == real.td().info.rtmr);
    const auto found = texts(check(renamed.log().vector(), real.td()));
    REQUIRE(found.size() == 1);
    CHECK(starts(found[0], "RTMR[1] event 2 at offset 0x"));
    CHECK(found[0].ends_with(": td_contents says td_osrel, found td_initrd"));
    const auto by_policy = texts(check(renamed.log().vector(), real.td(), real.policy()));
    REQUIRE(by_policy.size() == 2);
    CHECK(by_policy[1].ends_with(": expected td_osrel, found td_initrd; that is: a file"));
}

TEST_CASE("td_contents cannot be hidden by another type", "[coverage]") {
    const BootLog boot = bundle_boot();
    const auto log = decode_log(boot.log().view());
    for (const std::uint32_t type : {0xDU, 0x6U, 0x8000000AU}) {
        Blob bytes = boot.log();
        bytes.patch(log->events[6].offset + 4, 4, type);
        const auto found = texts(check(bytes.view(), boot.td()));
        REQUIRE_FALSE(found.empty());
        CHECK(found[0].contains(": td_contents says td_contents, found "));
    }
}

TEST_CASE("what td_contents says must be there, and no more", "[coverage]") {
    const auto found = [](std::string_view text) {
        BootLog boot;
        boot.add(contents(bytes_of(text))).add(kernel(Gpa{}, file("K"))).add(separator(1));
        const auto all = texts(coverage(boot.log()).findings);
        return all.empty() ? std::string() : all[0];
    };
    CHECK(found("td_payload=elf").empty());
    CHECK(found("td_payload=raw-vmlinux@0x1000").empty());
    CHECK(found("td_payload=elf td_initrd").ends_with("says td_initrd, found EV_SEPARATOR"));
    CHECK(found("td_payload=elf rtmr2=1") ==
          "RTMR[2]: td_contents says 1 events of the firmware's, found 0");
    for (const char* const text :
         {"td_payload", "x", "td_initrd=1", "td_payload=elf rtmr2=", "td_payload=elf rtmr2=x",
          "td_payload=elf rtmr2", "EV_SEPARATOR", "td_contents", "td_payload=elf  td_initrd"})
        CHECK(found(text).contains("which nothing of the firmware's is called"));
    CHECK(found("").contains("says EV_SEPARATOR, found td_payload"));
    BootLog more;
    more.add(contents(bytes_of(std::string_view("td_payload=elf"))))
        .add(kernel(Gpa{}, file("K")))
        .add(separator(1))
        .add(kernel(Gpa{}, file("K")));
    CHECK(texts(coverage(more.log()).findings)[0].ends_with("says no more, found td_payload"));
    CHECK(coverage(refused_boot().log()).findings.empty());
}

/// What a check says of a boot whose one event of RTMR[0] has this type and data, with any digest.
std::string form(std::uint32_t type, std::string_view data) {
    const std::string_view text("td_payload=elf");
    BootLog boot;
    boot.add(bundle_event(0, static_cast<event_log::EventType>(type), bytes_of(data)))
        .add(contents(bytes_of(text)))
        .add(kernel(Gpa{}, file("K")))
        .add(separator(1));
    const auto found = texts(coverage(boot.log()).findings);
    CHECK(found.size() <= 1);
    const std::size_t at = found.empty() ? std::string::npos : found[0].find("is not as the");
    return at == std::string::npos ? std::string() : found[0].substr(at);
}

template <std::size_t Size>
constexpr std::string_view text_of(const char (&text)[Size]) {
    return {text, Size - 1}; // with the NULs inside
}

TEST_CASE("an event of a file has a name and nothing behind its fields", "[coverage]") {
    constexpr std::uint32_t blob = 0x8000000A;
    constexpr std::string_view name =
        "is not as the firmware writes it: its name is neither a string nor a signature of four "
        "bytes, with a NUL behind";
    CHECK(form(blob, text_of("\4APIC\0\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0")) == name);
    CHECK(form(blob, text_of("\5APIC\0\0\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0")).empty());
    CHECK(form(blob, text_of("\6APIC\0\0\0\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0")) == name);
    CHECK(form(blob, text_of("\6APIC\0X\0\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0")) == name);
    CHECK(form(blob, text_of("\0\0\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0")) == name);
    CHECK(form(blob, text_of("\4APIC\0\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0X"))
              .ends_with("expected 21 bytes of data, found 22"));
    CHECK(form(blob, "").ends_with("expected 17 bytes of data, found 0"));
    CHECK(form(blob, text_of("\5APIC\0\1\0\0\0\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff"))
              .ends_with("its address and size are no range of memory"));
}

TEST_CASE("an event of configuration has zeros behind its name and no more than it says",
          "[coverage]") {
    constexpr std::uint32_t config = 0xA;
    constexpr std::string_view name = "with nothing but zeros behind it";
    CHECK(form(config, text_of("td_hob\0\0\0\0\0\0\0\0\0\0\1\0\0\0X")).empty());
    CHECK(form(config, text_of("secure_policy_db\1\0\0\0X")).empty());
    CHECK(form(config, text_of("td_hob\0EVIL\0\0\0\0\0\1\0\0\0X")).ends_with(name));
    CHECK(form(config, text_of("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0X")).ends_with(name));
    CHECK(form(config, text_of("td_hob\0\0\0\0\0\0\0\0\0\0\1\0\0\0XY"))
              .ends_with("expected 21 bytes of data, found 22"));
    CHECK(form(config, "td_hob").ends_with("expected 20 bytes of data, found 6"));
}

TEST_CASE("a separator and events of other types hide nothing either", "[coverage]") {
    CHECK(form(4, text_of("\0\0\0\0hidden")).ends_with("expected 4 bytes of data, found 10"));
    CHECK(form(4, text_of("\1\0\0\0a reason")).empty());
    CHECK(form(1, "hidden").ends_with("it has no event of that type there"));
    const BootLog boot = running_bundle(); // where the OS may have any form
    CHECK(check(boot.log().view(), boot.td(), boot.policy()).empty());
}

TEST_CASE("a file has the size that the policy says", "[coverage]") {
    const BootLog boot = bundle_boot();
    const auto log = decode_log(boot.log().view());
    constexpr std::array sizes{std::pair{3U, 1 + 17 + 8}, std::pair{8U, 1 + 11 + 8}};
    for (const auto& [event, at] : sizes) {
        Blob bytes = boot.log();
        bytes.patch(log->events[event].offset + 66 + static_cast<std::size_t>(at), 1, 0x54);
        CHECK(check(bytes.view(), boot.td()).empty());
        const auto found = texts(check(bytes.view(), boot.td(), boot.policy()));
        REQUIRE(found.size() == 1);
        CHECK(found[0].contains(" bytes, found 84; that is: a file"));
    }
}

TEST_CASE("with td-shim's order of events td_contents stands behind the separator", "[coverage]") {
    BootLog boot;
    boot.add(payload_svn(1, Digests::td_shim))
        .add(separator(0))
        .add(separator(1))
        .add(contents(bytes_of(
            std::string_view("td_payload_svn td_payload=bzimage td_initrd td_payload_info"))))
        .add(kernel(Gpa{}, file("K")))
        .add(initrd(Gpa{}, file("I")))
        .add(command_line(bytes_of(std::string_view("c"))));
    const LogCoverage found = coverage(boot.log());
    CHECK(found.findings.empty());
    CHECK(std::ranges::count_if(found.events, &EventCoverage::is_named) == 6);
}

TEST_CASE("a file of an error separator's bytes ends no boot", "[coverage]") {
    const Measurement named =
        contents(bytes_of(std::string_view("td_payload=bzimage td_initrd td_payload_info")));
    BootLog real;
    real.add(td_hob(bytes_of(std::string_view("a HOB list"))))
        .add(named)
        .add(kernel(Gpa{}, file("K")))
        .add(initrd(Gpa{}, file(text_of("\1\0\0\0"))))
        .add(command_line(bytes_of(std::string_view("init=/evil"))))
        .add(separator(0))
        .add(separator(1));
    CHECK(check(real.log().view(), real.td(), real.policy()).empty());
    BootLog forged;
    forged.add(td_hob(bytes_of(std::string_view("a HOB list"))))
        .add(kernel(Gpa{}, {.digest = named.digest, .size = 1}))
        .add(initrd(Gpa{}, file("K")))
        .add(error_separator(1, "nothing ran here"))
        .add(kernel(Gpa{}, file("init=/evil")))
        .add(separator(0))
        .add(separator(1));
    REQUIRE(forged.td().info.rtmr == real.td().info.rtmr);
    const auto found = texts(check(forged.log().view(), real.td()));
    REQUIRE(found.size() == 1);
    CHECK(found[0].ends_with("td_payload is behind the end of a boot that was refused"));
}

TEST_CASE("without td_contents RTMR[1] has what td-shim has, in its order", "[coverage]") {
    const Measurement svn = payload_svn(1, Digests::td_shim);
    const Measurement file_of_payload = kernel(Gpa{}, file("K"));
    const Measurement line = command_line(bytes_of(std::string_view("c")));
    const Measurement end = separator(1);
    const Measurement refused = error_separator(1, "reason");
    const std::string nothing_says = "so that nothing says what the others are";
    for (const auto& events :
         std::vector<std::vector<Measurement>>{{end},
                                               {file_of_payload, end},
                                               {svn, file_of_payload, end},
                                               {end, line},
                                               {svn, end, file_of_payload, line},
                                               {refused},
                                               {file_of_payload, refused},
                                               {svn, end, refused}})
        CHECK(first_finding(events).empty());
    for (const auto& events :
         std::vector<std::vector<Measurement>>{{end, file_of_payload, line, line},
                                               {end, file_of_payload, file_of_payload, line},
                                               {end, file_of_payload},
                                               {file_of_payload, svn, end},
                                               {line, end},
                                               {line, refused},
                                               {end, initrd(Gpa{}, file("I")), line}})
        CHECK(first_finding(events).ends_with(nothing_says));
}

TEST_CASE("a bundle's events have a bundle's types", "[coverage]") {
    const BootLog boot = running_bundle();
    const auto log = decode_log(boot.log().view());
    for (const std::size_t event : {12U, 13U})
        for (const std::uint32_t type : {0x8000'0007U, 0x8000'000AU, 0xAU, 4U}) {
            Blob bytes = boot.log();
            bytes.patch(log->events[event].offset + 4, 4, type);
            CHECK_FALSE(check(bytes.view(), boot.td()).empty());
        }
}

TEST_CASE("a bundle's tagged event has our tag and its own size", "[coverage]") {
    const auto of = [](std::string_view data) {
        BootLog boot;
        boot.add(contents(bytes_of(std::string_view("td_payload=bzimage td_bundle rtmr2=1"))))
            .add(kernel(Gpa{}, file("K")))
            .add(bundle_manifest(bytes_of(std::string_view("tdshim-bundle 1\n"))))
            .add(bundle_event(2, event_log::EventType::event_tag, bytes_of(data)))
            .add(separator(1));
        const auto found = texts(coverage(boot.log()).findings);
        return found.empty() ? std::string() : found[0];
    };
    CHECK(of(text_of("TDSH\1\0\0\0x")).empty());
    CHECK(of(text_of("AAEL\1\0\0\0x")).ends_with("its tag is not the firmware's"));
    CHECK(of(text_of("TDSH\1\0\0\0xy")).ends_with("expected 9 bytes of data, found 10"));
    CHECK(of(text_of("TDSH")).ends_with("expected 8 bytes of data, found 4"));
}

TEST_CASE("RTMR[0] has its events in the firmware's order", "[coverage]") {
    const auto config = [](std::string_view name) {
        return configuration(name, bytes_of(std::string_view("x")));
    };
    const auto blob = [](std::string_view name) {
        return configuration_file(name, Gpa{0x1000}, bytes_of(std::string_view("x")));
    };
    const Measurement hob = td_hob(bytes_of(std::string_view("a HOB list")));
    const Measurement script = blob("etc/table-loader");
    for (const auto& events : std::vector<std::vector<Measurement>>{
             {config("portable"), config("aml"), config("accept"), script, blob("etc/acpi/rsdp"),
              blob("etc/acpi/tables"), blob("etc/smbios/smbios-tables"), separator(0)},
             {config("portable"), blob("FACP"), blob("DSDT"), separator(0)},
             {config("etc/e820"), script, separator(0), error_separator(0, "the payload returned")},
             {separator(0)}})
        CHECK(first_finding(events).empty());
    for (const auto& events :
         std::vector<std::vector<Measurement>>{{blob("etc/hello"), separator(0)},
                                               {script, separator(0)},
                                               {hob, blob("FACP")},
                                               {hob, blob("etc/acpi/rsdp")},
                                               {hob, hob},
                                               {config("accept"), hob},
                                               {hob, script, script},
                                               {hob, config("hello")},
                                               {hob, separator(0), separator(0)},
                                               {separator(0), hob}})
        CHECK(first_finding(events).ends_with("is not where the firmware measures such a thing"));
}

TEST_CASE("a name of the VMM's in RTMR[0] is any string, or a signature", "[coverage]") {
    using namespace std::string_view_literals;
    const auto blob = [](std::string_view name) {
        return configuration_file(name, Gpa{0x1000}, bytes_of("x"sv));
    };
    const auto portable = [&](std::string_view name) {
        const auto first = configuration("portable", bytes_of("x"sv));
        return first_finding({first, blob(name), separator(0)});
    };
    for (const std::string_view name : {"SSDT"sv, "\x01\x02\x03\xFF"sv, "A\0B\0"sv, "\0\0\0\0"sv})
        CHECK(portable(name).empty());
    CHECK(portable("SSD"sv).ends_with("is not where the firmware measures such a thing"));
    const auto scripted = [&](std::string_view name) {
        const Measurement hob = td_hob(bytes_of("a HOB list"sv));
        return first_finding({hob, blob("etc/table-loader"), blob(name), separator(0)});
    };
    for (const std::string_view name : {"etc/\x7F\n"sv, "\xFF"sv, "\x1B[2J"sv})
        CHECK(scripted(name).empty());
    for (const std::string_view name : {""sv, "etc/x\0\0"sv, "e\0tc/x"sv})
        CHECK(
            scripted(name).contains("neither a string nor a signature of four bytes, with a NUL"));
}

TEST_CASE("a log of a boot that started nothing says so", "[coverage]") {
    const auto of = [](const BootLog& boot) {
        const auto found = texts(check(boot.log().view(), boot.td()));
        return found.size() == 1 ? found[0] : std::string();
    };
    CHECK(of(refused_boot()) ==
          "RTMR[0] ends in an error separator: the firmware refused this boot, and no payload ran");
    BootLog stopped;
    stopped.add(td_hob(bytes_of(std::string_view("a HOB list"))));
    CHECK(of(stopped) ==
          "RTMR[0] has no separator: the firmware did not come to its end, and no payload ran");
}

TEST_CASE("registers of the OS are compared with report and policy", "[coverage]") {
    const BootLog boot = running_bundle();
    const Bytestring log = boot.log().vector();
    BootLog forged = bundle_boot();
    forged.append(3, 0xD, "forged").append(2, ev_event_tag, "", file("more").digest);
    forged.append(2, ev_event_tag, text_of("TDSH\4\0\0\0mine"));
    CHECK(texts(check(forged.log().view(), boot.td(), boot.policy())).size() == 1);
    CHECK(starts(texts(check(forged.log().view(), boot.td()))[0], "RTMR[3]: expected "));

    Policy pinned = boot.policy();
    pinned.rtmr[3] = boot.td().info.rtmr[3];
    CHECK(check(log, boot.td(), pinned).empty());
    pinned.rtmr[3] = file("else").digest;
    CHECK(check(log, boot.td(), pinned).size() == 1);
    CHECK(check(log, std::nullopt, pinned).size() == 1);
    TdRegisters other = boot.td();
    other.info.rtmr[2] = {};
    CHECK(starts(texts(check(log, other, boot.policy()))[0], "RTMR[2]: expected "));
}

TEST_CASE("the policy's events of a bundle come first", "[coverage]") {
    BootLog other;
    other.add(separator(0)).add(separator(1)).append(3, 0xD, "of the OS");
    const auto found = texts(check(other.log().view(), other.td(), [] {
        Policy policy = bundle_boot().policy();
        policy.rtmr = {};
        return policy;
    }()));
    REQUIRE(found.size() == 2);
    CHECK(found[0].starts_with("RTMR[3] event 0 at offset 0x"));
    CHECK(found[1].starts_with("RTMR[2] event 0: EV_EVENT_TAG is missing"));
}

TEST_CASE("a bundle's event that was changed with its digest differs by register", "[coverage]") {
    const BootLog boot = bundle_boot();
    auto log = replaced(boot.log(), std::string_view("two\0", 4), std::string_view("TWO\0", 4));
    const auto digest = file(std::string_view("TWO\0", 4)).digest;
    const auto events = decode_log(log);
    std::memcpy(log.data() + events->events[14].offset + 14, digest.data(), digest.size());
    CHECK(starts(texts(check(log, boot.td()))[0], "RTMR[3]: expected "));
    const auto found = texts(check(log, boot.td(), boot.policy()));
    REQUIRE(found.size() == 2);
    CHECK(starts(found[0], "RTMR[3] event 1 at offset 0x"));
    CHECK(starts(found[1], "RTMR[3]: expected "));
}

TEST_CASE("behind the announced end only the OS's registers have events", "[coverage]") {
    BootLog boot = bundle_boot();
    boot.append(1, 4, std::string_view("\0\0\0\0", 4));
    const auto found = texts(coverage(boot.log()).findings);
    REQUIRE(found.size() == 2);
    CHECK(found[1].contains("EV_SEPARATOR is behind the end that the log announces"));
    Blob inside = bundle_boot().log();
    inside.patch(32 + 33 + 8, 4, 100);
    CHECK(texts(coverage(inside).findings)[0].starts_with(
        "event log: its header announces 100 bytes, its events have "));
}

TEST_CASE("an event that extends nothing is none of the firmware's", "[coverage]") {
    constexpr std::uint32_t blob2 = 0x8000'000A;
    constexpr std::uint32_t no_action = 3;
    const Blob whole = bundle_boot().log();
    const auto decoded = decode_log(whole.view());
    REQUIRE(decoded.has_value());
    const std::size_t place = decoded->events[2].offset;
    for (const auto& [index, type] : {std::pair{0U, blob2}, {2U, no_action}, {0U, no_action}}) {
        Blob added;
        added.u32(index).u32(type).u32(1).u16(0x0C).bytes(crypto::Digest{});
        added.u32(16).text("verified by ACME");
        Blob log;
        log.bytes(whole.view().first(place)).bytes(added.view()).bytes(whole.view().subspan(place));
        log.patch(32 + 33 + 8, 4, *decoded->announced + added.view().size());
        const auto found = texts(coverage(log).findings);
        REQUIRE(found.size() == 1);
        CHECK(found[0].contains("extends no register, and nobody writes such an event"));
    }
}

TEST_CASE("an event that extends nothing is none of the OS's", "[coverage]") {
    constexpr std::uint32_t no_action = 3;
    const Blob whole = bundle_boot().log();
    for (const std::uint32_t index : {0U, 3U, 4U}) {
        Blob log;
        log.bytes(whole.view().first(decode_log(whole.view())->used));
        log.u32(index).u32(no_action).u32(1).u16(0x0C).bytes(crypto::Digest{});
        log.u32(16).text("verified by ACME");
        CHECK(texts(coverage(log).findings).back().contains("extends no register"));
    }
}

TEST_CASE("a log whose header announces no end is none of this firmware's", "[coverage]") {
    const BootLog boot = bundle_boot();
    const Blob log = boot.log();
    constexpr std::size_t vendor = 32 + 33; // "td_shim", NUL, le32
    Blob other;
    other.bytes(log.view().first(vendor - 1))
        .u8(7)
        .text("td_shim")
        .bytes(log.view().subspan(vendor + 12));
    other.patch(28, 4, 32 + 33 - 32 + 7);
    REQUIRE(decode_log(other.view())->is_of_td_shim);
    const auto found = texts(check(other.view(), boot.td(), boot.policy()));
    REQUIRE_FALSE(found.empty());
    CHECK(starts(found[0], "event log: by \"td_shim\" and without an announced end"));
}

TEST_CASE("a log may end in zeros", "[coverage]") {
    const BootLog boot = running_bundle();
    CHECK(check(boot.log(1024 * 1024, 0).view(), boot.td(), boot.policy()).empty());
    CHECK(check(boot.log(8, 0).view(), boot.td(), boot.policy()).empty());
}

TEST_CASE("a log of another make is wrong for a policy, and else believed less", "[coverage]") {
    const BootLog boot = bundle_boot();
    auto log = replaced(boot.log(), "td_shim", "no_shim");
    CHECK(check(log, boot.td()).empty());
    const auto found = texts(check(log, boot.td(), boot.policy()));
    REQUIRE(found.size() == 1);
    CHECK(starts(found[0], "event log: by \"no_shim"));
    CHECK(found[0].ends_with("where the policy is for a log by \"td_shim\" with one"));
}

}} // namespace tdshim::tools
