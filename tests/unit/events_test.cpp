// SPDX-License-Identifier: Apache-2.0
//
// The events file of a bundle: what each line makes, and every way to refuse one.

#include <catch2/catch_test_macros.hpp>
#include <string>
#include <vector>

#include "shim/formats/bundle/events.hpp"
#include "tests/unit/support.hpp"

namespace tdshim::bundle { namespace {

using namespace tdshim::test;
using event_log::EventType;

struct Made {
    std::uint32_t rtmr;
    std::uint32_t type;
    std::string data;
    bool names_signer = false;
    bool operator==(const Made&) const = default;
};

constexpr std::uint32_t ev_event_tag = 0x6;
constexpr std::uint32_t ev_ipl = 0xD;

crypto::Digest a_signer() {
    crypto::Digest digest;
    digest.fill(std::byte{0x5E});
    digest.front() = std::byte{0x0A};
    return digest;
}

std::string signer_text() {
    std::string text = "0a";
    for (int i = 1; i < 48; ++i)
        text += "5e";
    return text;
}

Made string(std::uint32_t rtmr, const std::string& text, bool names_signer = false) {
    return {rtmr, ev_ipl, text + std::string(1, '\0'), names_signer};
}

/// TCG_PCClientTaggedEvent with our tag.
Made binary(std::uint32_t rtmr, const std::string& bytes) {
    const auto size = static_cast<char>(bytes.size());
    return {rtmr, ev_event_tag, "TDSH" + std::string{size, 0, 0, 0} + bytes, false};
}

std::vector<Made> made(const std::string& text, bool has_signer = true) {
    const auto file = EventsFile::parse(bytes_of(text), has_signer);
    REQUIRE(file.has_value());
    const crypto::Digest signer = a_signer();
    EventsReader reader(*file, has_signer ? &signer : nullptr);
    std::vector<Made> all;
    Event event;
    for (auto more = reader.next(event);; more = reader.next(event)) {
        REQUIRE(more.has_value());
        if (!*more)
            break;
        std::string data;
        for (const std::byte byte : event.data)
            data += static_cast<char>(byte);
        all.push_back(
            {event.rtmr, static_cast<std::uint32_t>(event.type), data, event.names_signer});
    }
    REQUIRE(all.size() == file->size());
    return all;
}

void refused(const std::string& text, Fault fault, std::uint64_t at, std::uint64_t expected = 0,
             std::uint64_t found = 0, bool has_signer = true) {
    CAPTURE(text);
    require_refused(EventsFile::parse(bytes_of(text), has_signer), fault, at, expected, found);
}

TEST_CASE("strings are measured with their NUL, binary data with our tag", "[events]") {
    CHECK(made("") == std::vector<Made>{});
    CHECK(made("# only\n\n#\n") == std::vector<Made>{});
    CHECK(made("# comment, with \"anything\" ~\n"
               "RTMR2:string:hello, world: a=b #c\n"
               "\n"
               "RTMR2:binary:00ff5a\n"
               "RTMR3:string: leading blank\n"
               "RTMR3:binary:07\n") == std::vector<Made>{string(2, "hello, world: a=b #c"),
                                                         binary(2, std::string("\x00\xff\x5a", 3)),
                                                         string(3, " leading blank"),
                                                         binary(3, "\x07")});
}

TEST_CASE("cvmboot's lines for PCR 11 are RTMR[2]'s", "[events]") {
    CHECK(made("PCR11:string:text\nPCR11:binary:abcd\nRTMR2:string:x\nRTMR3:string:y\n", false) ==
          std::vector{string(2, "text"), binary(2, "\xab\xcd"), string(2, "x"), string(3, "y")});
    const std::string identity = R"("os-image-identity":{"signer":")" + signer_text() +
                                 R"(","svn":"1","diskId":"a.b-22.04","eventVersion":"1"})";
    const std::string rest = R"("svn":"1","diskId":"a.b-22.04","eventVersion":"1"})";
    CHECK(made(R"(PCR11:string:"os-image-identity":{)" + rest + "\n") ==
          std::vector{string(2, identity, true)});
    CHECK(made(R"(RTMR3:string:"os-image-identity":{"signer":"<whoever>",)" + rest + "\n") ==
          std::vector{string(3, identity, true)});
    // Only this word makes one.
    CHECK(made(R"(PCR11:string:"node-policy-identity":{"signer":"x","svn":"1"})"
               "\n") ==
          std::vector{string(2, R"("node-policy-identity":{"signer":"x","svn":"1"})")});
    CHECK(made(R"(PCR11:string:x"os-image-identity":{)"
               "\n") == std::vector{string(2, R"(x"os-image-identity":{)")});
}

TEST_CASE("a string names the signer where it asks for it", "[events]") {
    CHECK(made("RTMR2:string:by %SIGNER%, today\n") ==
          std::vector{string(2, "by " + signer_text() + ", today", true)});
    CHECK(made("RTMR2:string:%SIGNER%\nRTMR2:string:%SIGNER\nRTMR2:string:%%SIGNER%%\n") ==
          std::vector{string(2, signer_text(), true), string(2, "%SIGNER"),
                      string(2, "%" + signer_text() + "%", true)});
    refused("RTMR2:string:%SIGNER% and %SIGNER%\n", Fault::events_signer_twice, 26);
    refused("RTMR2:string:%SIGNER%\n", Fault::events_no_signer, 13, 0, 0, false);
    const std::string identity =
        R"(PCR11:string:"os-image-identity":{"svn":"1","diskId":"d","eventVersion":"1"})"
        "\n";
    refused(identity, Fault::events_no_signer, 13, 0, 0, false);
    refused(R"(PCR11:string:"os-image-identity":{"svn":"%SIGNER%","diskId":"d","eventVersion":"1"})"
            "\n",
            Fault::events_signer_twice, 41);
}

TEST_CASE("an os-image-identity has one form", "[events]") {
    const std::string start = R"(PCR11:string:"os-image-identity":)"; // 33 characters
    const auto bad = [&](const std::string& text, std::uint64_t at) {
        refused(start + text + "\n", Fault::events_identity, start.size() + at);
    };
    bad("", 0);
    bad("x", 0);
    bad("{", 1);
    bad("{}", 1);
    bad(R"({"svn":"1"})", 10);
    bad(R"({ "svn":"1")", 1);
    bad(R"({"signer":"x"})", 13);
    bad(R"({"signer":"x","signer":"y",)", 14);
    bad(R"({"svn":1,)", 1);
    bad(R"({"svn":"1)", 9);
    bad(R"({"svn":"1\"","diskId":"d","eventVersion":"1"})", 9);
    bad(R"({"svn":"1", "diskId":"d","eventVersion":"1"})", 11);
    bad(R"({"diskId":"d","svn":"1","eventVersion":"1"})", 1);
    bad(R"({"svn":"1","diskId":"d","eventVersion":"1")", 42);
    bad(R"({"svn":"1","diskId":"d","eventVersion":"1","x":"1"})", 42);
    bad(R"({"svn":"1","diskId":"d","eventVersion":"1"},)", 43);
    bad(R"({"svn":"1","svn":"1","diskId":"d","eventVersion":"1"})", 11);
}

TEST_CASE("lines are printable and end where they are seen to end", "[events]") {
    refused("RTMR2:string:x", Fault::events_no_line_end, 14);
    refused("RTMR2:string:x\n# y", Fault::events_no_line_end, 18);
    for (const char bad : {'\t', '\r', '\0', '\x1b', '\x7f', '\x80', '\xff'}) {
        refused(std::string("RTMR2:string:x") + bad + "y\n", Fault::events_character, 14);
        refused(std::string("# ") + bad + "\n", Fault::events_character, 2);
    }
    refused("RTMR2:string:x \n", Fault::events_blank, 14);
    refused(" \n", Fault::events_blank, 0);
    refused("# x \n", Fault::events_blank, 3);
}

TEST_CASE("registers, types and data are those of the description", "[events]") {
    for (const char* const word :
         {"RTMR0", "RTMR1", "RTMR4", "RTMR", "rtmr2", "RTMR[2]", " RTMR2", "PCR1", "PCR0", "PCR10",
          "PCR12", "PCR011", "PCR23", "MRTD", "x", "RTMR2 "})
        refused(std::string(word) + ":string:x\n", Fault::events_register, 0);
    refused("RTMR2\n", Fault::events_register, 0);
    for (const char* const word : {"String:x", "text:x", "string", ":x", "", " string:x", "hex:00"})
        refused(std::string("RTMR2:") + word + "\n", Fault::events_type, 6);
    refused("RTMR2:string:\n", Fault::events_empty, 13);
    refused("PCR11:binary:\n", Fault::events_empty, 13);
    refused("RTMR2:string:.\n", Fault::events_full_stop, 13);
    CHECK(made("RTMR2:string:..\nRTMR2:string:x\n").size() == 2);
    refused("RTMR2:binary:abc\n", Fault::events_hex, 16);
    for (const char bad : {'A', 'g', '/', ':', '`', ' '}) {
        refused(std::string("RTMR2:binary:00") + bad + "0\n", Fault::events_hex, 15);
        if (bad != ' ')
            refused(std::string("RTMR2:binary:000") + bad + "\n", Fault::events_hex, 16);
    }
    refused("RTMR2:binary:0x\n", Fault::events_hex, 14);
    refused("RTMR3:string:x\nRTMR2:string:x\n", Fault::events_order, 15, 3, 2);
    refused("RTMR3:string:x\n#\nPCR11:string:x\n", Fault::events_order, 17, 3, 2);
}

TEST_CASE("everything has a bound", "[events]") {
    const auto line = [](const std::string& text) { return "RTMR2:string:" + text + "\n"; };
    CHECK(made(line(std::string(1023, 'x'))) == std::vector{string(2, std::string(1023, 'x'))});
    refused(line(std::string(1024, 'x')), Fault::events_data_size, 13, 1024, 1025);
    refused(line(std::string(1025, 'x')), Fault::events_data_size, 13, 1024, 1025);
    CHECK(made(line(std::string(927, 'x') + "%SIGNER%")).front().data.size() == 1024);
    refused(line(std::string(928, 'x') + "%SIGNER%"), Fault::events_data_size, 13, 1024, 1025);
    CHECK(made("RTMR2:binary:" + std::string(2032, '1') + "\n").front().data.size() == 1024);
    refused("RTMR2:binary:" + std::string(2034, '1') + "\n", Fault::events_data_size, 13, 1024,
            1025);
    refused(R"(PCR11:string:"os-image-identity":{"svn":")" + std::string(900, '1') +
                R"(","diskId":"d","eventVersion":"1"})"
                "\n",
            Fault::events_data_size, 13, 1024, 1025);
    std::string lines;
    for (int i = 0; i < 64; ++i)
        lines += line("x");
    CHECK(made(lines + "# and a comment\n").size() == 64);
    refused(lines + line("x"), Fault::events_count, lines.size(), 64, 65);
    CHECK(made("#" + std::string(8190, 'x') + "\n").empty());
    refused("#" + std::string(8191, 'x') + "\n", Fault::events_size, 0, 8192, 8193);
}

}} // namespace tdshim::bundle
