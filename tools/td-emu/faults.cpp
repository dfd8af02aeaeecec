// SPDX-License-Identifier: Apache-2.0
#include "tools/td-emu/faults.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <format>
#include <nlohmann/json.hpp>
#include <set>
#include <span>

#include "shim/base/gpa.hpp"
#include "tools/td-emu/call_names.hpp"

namespace tdshim::td_emu {
namespace {

using nlohmann::json;
using tdx_model::Register;

constexpr std::size_t max_faults = 1000;
constexpr std::size_t max_bytes = std::size_t{1} << 20;

/// Thrown inside this file alone, for a parser that is a page of checks.
struct Wrong {
    std::string text;
};

[[noreturn]] void expected(const std::string& where, std::string_view what, const json& found) {
    constexpr std::size_t enough = 60;
    std::string text = found.dump(-1, ' ', true, json::error_handler_t::replace);
    if (text.size() > enough)
        text = text.substr(0, enough) + "...";
    throw Wrong{std::format("{}: expected {}, found {}", where, what, text)};
}

void check_keys(const std::string& where, const json& object,
                std::span<const std::string_view> allowed) {
    if (!object.is_object())
        expected(where, "an object", object);
    for (const auto& [key, value] : object.items())
        if (!std::ranges::contains(allowed, key)) {
            std::string list;
            for (const std::string_view name : allowed)
                list += std::format("{}\"{}\"", list.empty() ? "" : ", ", name);
            expected(where, "none but the keys " + list, json(key));
        }
}

std::optional<std::uint64_t> number_of(const json& value) {
    if (value.is_number_unsigned())
        return value.get<std::uint64_t>();
    if (!value.is_string())
        return std::nullopt;
    const std::string& text = value.get_ref<const std::string&>();
    std::uint64_t number = 0;
    if (!text.starts_with("0x"))
        return std::nullopt;
    const char* const end = text.data() + text.size();
    const auto [stopped, error] = std::from_chars(text.data() + 2, end, number, 16);
    return error == std::errc{} && stopped == end ? std::optional(number) : std::nullopt;
}

std::uint64_t number_at(const std::string& where, const json& object, const char* key,
                        std::uint64_t otherwise, std::uint64_t least = 0) {
    if (!object.contains(key))
        return otherwise;
    const auto number = number_of(object.at(key));
    if (!number || *number < least)
        expected(where + "." + key,
                 std::format("a number from {} on, or a text such as \"0x10\"", least),
                 object.at(key));
    return *number;
}

std::string text_at(const std::string& where, const json& object, const char* key) {
    if (!object.contains(key) || !object.at(key).is_string())
        expected(where + "." + key, "a text", object.value(key, json()));
    return object.at(key).get<std::string>();
}

std::vector<std::byte> bytes_at(const std::string& where, const json& object,
                                const char* key = "bytes") {
    const std::string text = text_at(where, object, key);
    std::vector<std::byte> bytes;
    for (std::size_t at = 0; at + 1 < text.size(); at += 2) {
        std::uint8_t byte = 0;
        const char* const end = text.data() + at + 2;
        if (const auto read = std::from_chars(end - 2, end, byte, 16);
            read.ec != std::errc{} || read.ptr != end)
            break;
        bytes.push_back(std::byte{byte});
    }
    if (text.empty() || 2 * bytes.size() != text.size() || bytes.size() > max_bytes)
        expected(where + "." + key, "pairs of hexadecimal digits, 1 to 1048576 of them",
                 object.at(key));
    return bytes;
}

Turn turn_of(const std::string& where, const json& object) {
    return {number_at(where, object, "from", 1, 1), number_at(where, object, "count", 1, 1)};
}

struct RegisterName {
    std::string_view text;
    Register number;
};
using namespace tdx_model;
// RAX is the status of a leaf; RSP and RBP are the TD's alone.
constexpr std::array register_names{
    RegisterName{"rcx", rcx}, RegisterName{"rdx", rdx}, RegisterName{"rbx", rbx},
    RegisterName{"rsi", rsi}, RegisterName{"rdi", rdi}, RegisterName{"r8", r8},
    RegisterName{"r9", r9},   RegisterName{"r10", r10}, RegisterName{"r11", r11},
    RegisterName{"r12", r12}, RegisterName{"r13", r13}, RegisterName{"r14", r14},
    RegisterName{"r15", r15}};

CallFault call_of(const std::string& where, const json& object, bool is_vmcall) {
    constexpr std::array<std::string_view, 5> of_leaf{"leaf", "from", "count", "status",
                                                      "registers"};
    constexpr std::array<std::string_view, 5> of_vmcall{"tdvmcall", "from", "count", "status",
                                                        "registers"};
    check_keys(where, object, is_vmcall ? of_vmcall : of_leaf);
    const char* const key = is_vmcall ? "tdvmcall" : "leaf";
    const std::string name = text_at(where, object, key);
    const auto call = is_vmcall ? subfunction_of(name) : leaf_of(name);
    if (!call)
        expected(where + "." + key,
                 is_vmcall ? "a sub-function such as \"MapGPA\""
                           : "a leaf such as \"TDG.MEM.PAGE.ACCEPT\"",
                 object.at(key));
    CallFault fault{
        is_vmcall, *call, turn_of(where, object), number_at(where, object, "status", 0), {}};
    const json registers = object.value("registers", json::object());
    if (!registers.is_object())
        expected(where + ".registers", "an object", registers);
    if (!object.contains("status") && registers.empty())
        expected(where, "\"status\" or \"registers\"", object);
    for (const auto& [register_name, value] : registers.items()) {
        const auto known = std::ranges::find(register_names, register_name, &RegisterName::text);
        if (known == register_names.end() || (is_vmcall && known->number == rcx))
            expected(where + ".registers",
                     is_vmcall ? "rbx, rdx, rsi, rdi or r8 to r15"
                               : "rbx, rcx, rdx, rsi, rdi or r8 to r15",
                     json(register_name));
        if (is_vmcall && known->number == r10 && object.contains("status"))
            expected(where, "\"status\" or register r10, which are the same", object);
        fault.registers.emplace_back(
            known->number, number_at(where + ".registers", registers, register_name.c_str(), 0));
    }
    return fault;
}

HobFault hob_of(const std::string& where, const json& object) {
    constexpr std::array<std::string_view, 3> allowed{"offset", "bytes", "file"};
    check_keys(where, object, allowed);
    if (object.contains("file")) {
        if (object.size() != 1)
            expected(where, "\"file\" alone, or \"offset\" and \"bytes\"", object);
        return {0, {}, text_at(where, object, "file")};
    }
    return {number_at(where, object, "offset", 0), bytes_at(where, object), {}};
}

ItemFault item_of(const std::string& where, const json& object) {
    constexpr std::array<std::string_view, 5> allowed{"item", "from", "count", "offset", "bytes"};
    check_keys(where, object, allowed);
    ItemFault fault{{},
                    {},
                    turn_of(where, object),
                    number_at(where, object, "offset", 0),
                    bytes_at(where, object)};
    const json item = object.value("item", json());
    if (const auto number = number_of(item); number && *number <= 0xFFFF)
        fault.key = static_cast<std::uint16_t>(*number);
    else if (item.is_string() && !number)
        fault.name = item.get<std::string>();
    else
        expected(where + ".item", "a name such as \"etc/e820\" or a key below 0x10000", item);
    return fault;
}

QuoteFault quote_of(const std::string& where, const json& object) {
    constexpr std::array<std::string_view, 8> allowed{"from", "count",   "in_flight", "status",
                                                      "size", "content", "offset",    "bytes"};
    constexpr std::uint64_t max_size = 0xFFFF'FFFF;
    check_keys(where, object, allowed);
    QuoteFault fault{.turn = turn_of(where, object),
                     .in_flight = number_at(where, object, "in_flight", 0),
                     .status = {},
                     .size = {},
                     .content = {},
                     .offset = number_at(where, object, "offset", 0),
                     .bytes = {}};
    if (object.contains("status"))
        fault.status = number_at(where, object, "status", 0);
    if (const std::uint64_t size = number_at(where, object, "size", 0); size > max_size)
        expected(where + ".size", "a number of 32 bits", object.at("size"));
    else if (object.contains("size"))
        fault.size = static_cast<std::uint32_t>(size);
    if (object.contains("content"))
        fault.content = bytes_at(where, object, "content");
    if (object.contains("bytes") || object.contains("offset"))
        fault.bytes = bytes_at(where, object);
    if (fault.offset > max_bytes)
        expected(where + ".offset", "a number up to 1048576", object.at("offset"));
    return fault;
}

void add_processors(Faults& faults, const std::string& where, const json& object) {
    constexpr std::array<std::string_view, 2> allowed{"arrive_after", "arrive_twice"};
    check_keys(where, object, allowed);
    faults.others_arrive_after = number_at(where, object, "arrive_after", 0);
    const json twice = object.value("arrive_twice", json(false));
    if (!twice.is_boolean())
        expected(where + ".arrive_twice", "true or false", twice);
    faults.others_arrive_twice = twice.get<bool>();
}

std::optional<unsigned> vcpu_at(const std::string& where, const json& object) {
    constexpr std::uint64_t max_vcpus = 64;
    if (!object.contains("vcpu"))
        return std::nullopt;
    const std::uint64_t number = number_at(where, object, "vcpu", 0);
    if (number >= max_vcpus)
        expected(where + ".vcpu", "a number below 64", object.at("vcpu"));
    return static_cast<unsigned>(number);
}

PageFault page_of(const std::string& where, const json& object) {
    constexpr std::array<std::string_view, 3> allowed{"address", "vcpu", "call"};
    check_keys(where, object, allowed);
    const std::uint64_t address = number_at(where, object, "address", 1);
    if (!is_aligned(address, page_size))
        expected(where + ".address", "an address of a page", object.value("address", json()));
    return {address, {vcpu_at(where, object), number_at(where, object, "call", 0)}};
}

StopFault stop_of(const std::string& where, const json& object) {
    constexpr std::array<std::string_view, 4> allowed{"vcpu", "call", "address", "until"};
    constexpr std::array<std::string_view, 2> of_moment{"vcpu", "call"};
    check_keys(where, object, allowed);
    const auto vcpu = vcpu_at(where, object);
    if (!vcpu || !(object.contains("call") || object.contains("address")))
        expected(where, R"("vcpu", and "call" or "address")", object);
    StopFault fault{
        .vcpu = *vcpu, .call = number_at(where, object, "call", 0), .address = {}, .until = {}};
    if (object.contains("address"))
        fault.address = number_at(where, object, "address", 0);
    if (object.contains("until")) {
        const json& until = object.at("until");
        check_keys(where + ".until", until, of_moment);
        fault.until = {vcpu_at(where + ".until", until),
                       number_at(where + ".until", until, "call", 1, 1)};
    }
    return fault;
}

/// Of memory's other bytes too many are like a short pattern.
std::vector<std::byte> fill_of(const std::string& where, const json& entry) {
    constexpr std::array<std::string_view, 1> allowed{"fill"};
    constexpr std::size_t shortest = 8;
    check_keys(where, entry, allowed);
    auto bytes = bytes_at(where, entry, "fill");
    if (bytes.size() < shortest || bytes.size() > page_size)
        expected(where + ".fill", "8 to 4096 bytes", entry.at("fill"));
    return bytes;
}

void add_fault(Faults& faults, const std::string& where, const json& entry) {
    const auto only = [&](const char* key) -> const json& {
        const std::array<std::string_view, 1> allowed{key};
        check_keys(where, entry, allowed);
        return entry.at(key);
    };
    if (!entry.is_object())
        expected(where, "an object", entry);
    if (entry.contains("leaf") || entry.contains("tdvmcall"))
        faults.calls.push_back(call_of(where, entry, entry.contains("tdvmcall")));
    else if (entry.contains("hob"))
        faults.hob.push_back(hob_of(where + ".hob", only("hob")));
    else if (entry.contains("fw_cfg"))
        faults.items.push_back(item_of(where + ".fw_cfg", only("fw_cfg")));
    else if (entry.contains("quote"))
        faults.quotes.push_back(quote_of(where + ".quote", only("quote")));
    else if (entry.contains("processors"))
        add_processors(faults, where + ".processors", only("processors"));
    else if (entry.contains("readd"))
        faults.pages.push_back(page_of(where + ".readd", only("readd")));
    else if (entry.contains("fill"))
        faults.fill = fill_of(where, entry);
    else if (entry.contains("stop"))
        faults.stops.push_back(stop_of(where + ".stop", only("stop")));
    else
        expected(
            where,
            R"("leaf", "tdvmcall", "hob", "fw_cfg", "quote", "processors", "readd", "fill" or "stop")",
            entry);
}

/// The JSON; a key that stands twice in an object is an error, as is a NUL, where the parser would
/// end. tools/common/json_input.hpp is not for the plugin.
json parse_json(std::string_view text) {
    if (const std::size_t nul = text.find('\0'); nul != text.npos)
        throw Wrong{std::format("expected JSON: found a NUL at offset {:#x}", nul)};
    std::vector<std::set<std::string>> keys;
    constexpr int max_depth = 16;
    return json::parse(text, [&](int depth, json::parse_event_t event, json& parsed) {
        const bool begins_level =
            event == json::parse_event_t::object_start || event == json::parse_event_t::array_start;
        if (begins_level && depth >= max_depth)
            throw Wrong{
                std::format("expected at most {} objects and lists in each other", max_depth)};
        if (event == json::parse_event_t::object_start)
            keys.emplace_back();
        if (event == json::parse_event_t::object_end)
            keys.pop_back();
        if (event == json::parse_event_t::key && !keys.back().insert(parsed).second)
            throw Wrong{std::format("expected each key once, found {} twice", parsed.dump())};
        return true;
    });
}

} // namespace

std::expected<Faults, std::string> parse_faults(std::string_view text) {
    try {
        const json list = parse_json(text);
        if (!list.is_array() || list.empty() || list.size() > max_faults)
            expected("faults", std::format("a list of 1 to {} faults", max_faults), list);
        Faults faults;
        for (std::size_t i = 0; i < list.size(); ++i)
            add_fault(faults, std::format("fault {}", i), list[i]);
        return faults;
    } catch (const Wrong& wrong) {
        return std::unexpected(wrong.text);
    } catch (const json::exception& error) {
        return std::unexpected(std::string("expected JSON: ") + error.what());
    }
}

} // namespace tdshim::td_emu
