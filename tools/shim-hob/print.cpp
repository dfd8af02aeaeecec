// SPDX-License-Identifier: Apache-2.0
#include "tools/shim-hob/commands.hpp"

#include <format>
#include <iostream>

#include "shim/formats/acpi/wire.hpp"
#include "shim/formats/hob/hob.hpp"
#include "tools/common/files.hpp"
#include "tools/common/json_output.hpp"
#include "tools/common/text.hpp"

namespace tdshim::tools {
namespace {

using Json = nlohmann::ordered_json;

std::string name_of(hob::HobType type) {
    switch (type) {
    case hob::HobType::handoff: return "PHIT";
    case hob::HobType::memory_allocation: return "memory allocation";
    case hob::HobType::resource: return "resource";
    case hob::HobType::guid_extension: return "GUID";
    case hob::HobType::firmware_volume: return "firmware volume";
    case hob::HobType::cpu: return "CPU";
    case hob::HobType::end_of_list: return "end of list";
    }
    return "type " + hex(static_cast<std::uint16_t>(type));
}

std::string name_of_resource(std::uint32_t type) {
    constexpr std::array names{"system memory", "MMIO",
                               "I/O",           "firmware device",
                               "MMIO port",     "memory reserved",
                               "I/O reserved",  "memory unaccepted"};
    return type < names.size() ? names[type] : "resource type " + hex(type);
}

/// What a HOB says, as members for JSON; empty where its form is not known.
Result<Json> detail_of(const hob::Framed& framed) {
    switch (framed.type) {
    case hob::HobType::handoff: {
        const auto handoff = TRY(read_at<hob::Handoff>(framed.hob, 0));
        return Json{{"version", static_cast<std::uint32_t>(handoff.version)},
                    {"end_of_list", static_cast<std::uint64_t>(handoff.end_of_hob_list)}};
    }
    case hob::HobType::resource: {
        const auto resource = TRY(read_at<hob::WireResource>(framed.hob, 0));
        return Json{{"resource", name_of_resource(resource.type)},
                    {"resource_type", static_cast<std::uint32_t>(resource.type)},
                    {"attributes", static_cast<std::uint32_t>(resource.attributes)},
                    {"start", static_cast<std::uint64_t>(resource.start)},
                    {"length", static_cast<std::uint64_t>(resource.length)}};
    }
    case hob::HobType::guid_extension: {
        const auto header = TRY(read_at<hob::GuidHeader>(framed.hob, 0));
        const Bytes data = framed.hob.subspan(sizeof(header));
        if (header.name == hob::payload_info_guid && data.size() >= sizeof(le32))
            return Json{{"guid", "payload information"},
                        {"image_type", static_cast<std::uint32_t>(TRY(read_at<le32>(data, 0)))},
                        {"data", hex(data)}};
        if (header.name == hob::acpi_table_guid && data.size() >= 4)
            return Json{{"guid", "ACPI table"},
                        {"signature", printable({reinterpret_cast<const char*>(data.data()), 4})},
                        {"size", data.size()}};
        return Json{{"guid", text_of(header.name)}, {"size", data.size()}};
    }
    case hob::HobType::memory_allocation:
    case hob::HobType::firmware_volume:
    case hob::HobType::cpu:
    case hob::HobType::end_of_list: break;
    }
    return Json::object();
}

/// "0x0 - 0x7fffff memory unaccepted, attributes 0x7".
std::string text_of_detail(const Json& detail) {
    if (detail.contains("resource")) {
        const auto range = GpaRange::make({detail.at("start").get<std::uint64_t>()},
                                          detail.at("length").get<std::uint64_t>());
        return std::format("{:<27}  {}, attributes {}",
                           range ? text_of(*range) : std::string("wraps around"),
                           detail.at("resource").get<std::string>(),
                           hex(detail.at("attributes").get<std::uint64_t>()));
    }
    std::string text;
    for (const auto& [key, value] : detail.items())
        text += std::format("{}{} {}", text.empty() ? "" : ", ", key,
                            value.is_string() ? value.get<std::string>()
                                              : hex(value.get<std::uint64_t>()));
    return text;
}

struct Printed {
    Json hobs = Json::array();
    std::size_t size = 0;
    std::optional<Error> error;
};

Printed hobs_of(Bytes bytes) {
    Printed printed;
    hob::Walk walk(bytes);
    while (true) {
        const std::size_t at = walk.offset();
        const auto framed = walk.next();
        const auto detail = framed.and_then(detail_of);
        if (!detail) {
            printed.error = detail.error();
            return printed;
        }
        Json entry{{"offset", at}, {"type", name_of(framed->type)}};
        entry.update(*detail);
        printed.hobs.push_back(std::move(entry));
        printed.size = walk.offset();
        if (framed->type == hob::HobType::end_of_list)
            return printed;
    }
}

void print_text(const Printed& printed) {
    for (Json entry : printed.hobs) {
        const auto offset = entry.at("offset").get<std::uint64_t>();
        const auto type = entry.at("type").get<std::string>();
        entry.erase("offset");
        entry.erase("type");
        std::cout << std::format("{:>8}  {:<12}  {}\n", hex(offset), type, text_of_detail(entry));
    }
    std::cout << std::format("{} bytes\n", printed.size);
}

} // namespace

Outcome<ExitCode> print(const std::string& file, bool json) {
    const auto bytes = TRY(read_file(file));
    const Printed printed = hobs_of(bytes);
    const std::string error = printed.error ? failure(file, *printed.error).text : "";
    if (json) {
        Json object{{"hobs", printed.hobs}, {"size", printed.size}};
        if (printed.error)
            object["error"] = error;
        print_json("shim-hob-print/1", object);
    } else {
        print_text(printed);
    }
    if (printed.error)
        return std::unexpected(Failure{.text = error, .is_in_output = true});
    return ExitCode::good;
}

} // namespace tdshim::tools
