// SPDX-License-Identifier: Apache-2.0
#include "tools/td-emu/statistics.hpp"

#include <format>
#include <iostream>
#include <optional>

#include "shim/formats/event_log/reader.hpp"

namespace tdshim::td_emu {
namespace {

std::optional<std::uint64_t> bytes_of_event(const event_log::Event& event) {
    if (event.type == event_log::EventType::separator)
        return sizeof(le32);
    const auto description = event_log::describe(event);
    if (!description)
        return std::nullopt;
    return description->range ? description->range->size() : description->info.size();
}

std::uint64_t number(const nlohmann::ordered_json& object, const char* key) {
    return object.at(key).get<std::uint64_t>();
}

void print_calls(const char* kind, const nlohmann::ordered_json& calls) {
    for (const auto& [name, count] : calls.items())
        std::cout << std::format("td-emu: {} {}: {}\n", kind, name, count.get<std::uint64_t>());
}

void print_protections(const nlohmann::ordered_json& found) {
    if (found.is_null()) // no page tables of tdshim's
        return;
    std::cout << std::format("td-emu: page tables walked {} times: code {}, constants {}, data {}, "
                             "{} guard pages absent, page 0 absent until the hand-over\n",
                             number(found, "walks"), found.at("code").get<std::string>(),
                             found.at("constants").get<std::string>(),
                             found.at("data").get<std::string>(),
                             number(found, "absent_guard_pages"));
    std::cout << "td-emu: set in control registers:";
    for (const auto& name : found.at("control"))
        std::cout << ' ' << name.get<std::string>();
    std::cout << '\n';
    for (const auto& range : found.at("writable_and_executable_at_hand_over"))
        std::cout << std::format("td-emu: writable and executable at the hand-over: {:#x}-{:#x}\n",
                                 range.at(0).get<std::uint64_t>(),
                                 range.at(1).get<std::uint64_t>());
}

} // namespace

void add_hashed_bytes(nlohmann::ordered_json& result, Bytes log) {
    auto reader = event_log::LogReader::open(log);
    if (!reader)
        return;
    std::uint64_t sum = 0;
    while (true) {
        const auto event = reader->next();
        if (!event)
            return;
        if (!*event)
            break;
        const auto size = bytes_of_event(**event);
        if (!size)
            return;
        sum += *size;
    }
    result["hashed_bytes"] = sum;
}

void print_statistics(const nlohmann::ordered_json& result) {
    std::cout << std::format("td-emu: accepted {} pages of 4 KiB, {} of 2 MiB; shared {} bytes\n",
                             number(result, "pages_4k"), number(result, "pages_2m"),
                             number(result, "shared_bytes"));
    print_calls("TDCALL", result.at("tdcalls_by_name"));
    print_calls("TDVMCALL", result.at("tdvmcalls_by_name"));
    for (std::size_t vcpu = 0; const auto& count : result.at("instructions"))
        std::cout << std::format("td-emu: vCPU {}: {} instructions before the payload\n", vcpu++,
                                 count.get<std::uint64_t>());
    if (result.contains("hashed_bytes"))
        std::cout << std::format("td-emu: {} bytes hashed\n", number(result, "hashed_bytes"));
    if (!result.contains("stacks")) // of another make, or QEMU was ended before the payload
        return;
    for (const auto& stack : result.at("stacks"))
        std::cout << std::format("td-emu: stack {}: {} of {} bytes used\n",
                                 stack.at("name").get<std::string>(), number(stack, "used"),
                                 number(stack, "size"));
    std::cout << std::format("td-emu: {} page tables\n", number(result, "page_tables"));
    print_protections(result.at("protections"));
}

} // namespace tdshim::td_emu
