// SPDX-License-Identifier: Apache-2.0
//
// shim-info FINAL.BIN: the metadata of a firmware image, ours or one of another make, and what
// shim-ld says about an image of ours; the headers of an IGVM file.

#include <format>
#include <iostream>
#include <optional>

#include "shim/crypto/sha384.hpp"
#include "shim/formats/payload/kind.hpp"
#include "shim/formats/tdvf/aml_policy.hpp"
#include "shim/formats/tdvf/footer.hpp"
#include "tools/common/command.hpp"
#include "tools/common/files.hpp"
#include "tools/common/json_output.hpp"
#include "tools/common/look.hpp"
#include "tools/common/metadata_table.hpp"
#include "tools/common/text.hpp"
#include "tools/shim-info/igvm.hpp"
#include "tools/signing/enrolment_text.hpp"
#include "tools/signing/firmware_volume.hpp"

namespace tdshim::tools { namespace {

struct Payload {
    std::uint64_t offset = 0; ///< in the image
    Bytes bytes;
};

/// What a TD_INFO section says.
struct TdInfo {
    tdvf::TdInfoHeader header;
    std::size_t data_size = 0;
};

struct Report {
    std::uint64_t image_size = 0;
    tdvf::Metadata metadata;
    std::optional<tdvf::ImageInfo> info;
    std::optional<Payload> payload;
    std::optional<TdInfo> td_info;
    /// Nothing: no configuration volume. An error: its volume is none that tdshim reads, as in an
    /// image with UEFI variables.
    std::optional<Result<cfv::Enrolment>> enrolment;
};

/// Errors: image_size of the information is not that of the whole image; those of find_image_info.
Result<std::optional<tdvf::ImageInfo>> info_of(Bytes image) {
    const auto info = tdvf::find_image_info(image);
    // An image that only the pointer at end - 0x20 describes has no table to look into.
    if (!info && info.error().fault == Fault::footer_missing)
        return std::nullopt;
    if (info && *info && (*info)->image_size != image.size())
        return refuse(Fault::image_info_size, image.size(), image.size(), (*info)->image_size);
    return info;
}

Result<std::optional<TdInfo>> td_info_of(Bytes image, const tdvf::Metadata& metadata) {
    const tdvf::Section* const section = metadata.find(tdvf::SectionType::td_info);
    if (section == nullptr)
        return std::nullopt;
    const Bytes data = image.subspan(section->data_offset, section->raw_size);
    const auto header = TRY(read_at<tdvf::TdInfoHeader>(data, 0));
    return TdInfo{header, data.size() - sizeof(header)};
}

/// Whom an image is made for, by its sections: the profile of shim-ld.
std::string_view profile_of(const tdvf::Metadata& metadata) {
    if (metadata.find(tdvf::SectionType::perm_mem) != nullptr)
        return "service-td";
    return metadata.find(tdvf::SectionType::payload) != nullptr ? "tdvf-payload" : "qemu";
}

std::string kind_of(Bytes payload) {
    const auto kind = signed_payload::contents_of(payload).and_then(payload::kind_of);
    if (!kind)
        return "of no kind that the firmware starts";
    return std::format("{}{}", signed_payload::is_signed(payload) ? "signed " : "",
                       payload::name_of(*kind));
}

Result<Report> examine(Bytes image) {
    Report report{.image_size = image.size(),
                  .metadata = TRY(tdvf::parse_metadata(image)),
                  .info = TRY(info_of(image)),
                  .payload = {},
                  .td_info = {},
                  .enrolment = {}};
    report.td_info = TRY(td_info_of(image, report.metadata));
    if (const auto place = find_volume(report.metadata))
        report.enrolment = cfv::parse(image.subspan(place->offset, place->size));
    if (report.info && report.info->payload_size != 0) {
        const std::uint64_t offset = image.size() - report.info->payload_from_end;
        report.payload = Payload{offset, image.subspan(offset, report.info->payload_size)};
    }
    return report;
}

/// The names of the image's options, as shim-ld takes them.
std::vector<std::string> options_of(const tdvf::ImageInfo& info) {
    std::vector<std::string> names;
    if ((info.options & tdvf::option_portable) != 0)
        names.emplace_back("portable measurement");
    if ((info.options & tdvf::option_static_acpi) != 0)
        names.emplace_back("static ACPI tables");
    if ((info.options & tdvf::option_region_digests) != 0)
        names.emplace_back("digests of whole regions, as td-shim's");
    if ((info.options & tdvf::option_quiet) != 0)
        names.emplace_back("quiet console");
    if (const auto aml = tdvf::aml_policy_of(info.options); aml != tdvf::AmlPolicy::measured)
        names.push_back(std::format("AML of the VMM: {}", name_of(aml)));
    return names;
}

/// What its owner has to know about the image, in words.
std::vector<std::string> notes_of(const Report& report) {
    const bool has_aml_policy =
        report.info && tdvf::aml_policy_of(report.info->options) != tdvf::AmlPolicy::measured;
    const bool demands_signatures = report.enrolment && *report.enrolment &&
                                    (*report.enrolment)->policy != cfv::Policy::measured;
    const bool owns_its_memory = report.metadata.find(tdvf::SectionType::perm_mem) != nullptr;
    if (has_aml_policy && !demands_signatures && !owns_its_memory)
        return {std::string(tdvf::unsealed_aml_note)};
    return {};
}

void print_table(const Report& report, const std::string& file) {
    std::cout << std::format("{}: {} bytes ({} KiB)\n", file, report.image_size,
                             report.image_size / KiB);
    std::cout << table_of(report.metadata);
    std::cout << std::format("profile: {}\n", profile_of(report.metadata));
    if (report.td_info)
        std::cout << std::format(
            "TD information: {}, version {}, SVN {}, {} bytes of data\n",
            text_of(report.td_info->header.guid), std::uint32_t{report.td_info->header.version},
            std::uint32_t{report.td_info->header.svn}, report.td_info->data_size);
    if (!report.info)
        std::cout << "image information: none (an image of another make)\n";
    else if (!report.payload)
        std::cout << "image information: no embedded payload\n";
    else
        std::cout << std::format(
            "image information: payload of {} bytes at offset {}, {}, sha384 {}\n",
            report.payload->bytes.size(), hex(report.payload->offset),
            kind_of(report.payload->bytes), hex(crypto::sha384(report.payload->bytes)));
    if (report.info)
        for (const std::string& option : options_of(*report.info))
            std::cout << "option: " << option << '\n';
    if (report.enrolment && *report.enrolment)
        std::cout << table_of(**report.enrolment);
    else if (report.enrolment)
        std::cout << "policy: none that is known here: "
                  << failure("configuration volume", report.enrolment->error()).text << '\n';
    for (const std::string& note : notes_of(report))
        std::cout << "note: " << note << '\n';
}

nlohmann::ordered_json json_of(const Report& report, const std::string& file) {
    nlohmann::ordered_json json{{"image", file},
                                {"image_size", report.image_size},
                                {"metadata", tools::json_of(report.metadata)},
                                {"image_info", nullptr},
                                {"profile", profile_of(report.metadata)},
                                {"td_info", nullptr},
                                {"payload", nullptr},
                                {"enrolment", nullptr},
                                {"notes", notes_of(report)}};
    if (report.info)
        json["image_info"] = {
            {"image_size", static_cast<std::uint32_t>(report.info->image_size)},
            {"payload_from_end", static_cast<std::uint32_t>(report.info->payload_from_end)},
            {"payload_size", static_cast<std::uint32_t>(report.info->payload_size)},
            {"options", options_of(*report.info)}};
    if (report.td_info)
        json["td_info"] = {{"guid", text_of(report.td_info->header.guid)},
                           {"version", std::uint32_t{report.td_info->header.version}},
                           {"svn", std::uint32_t{report.td_info->header.svn}},
                           {"data_size", report.td_info->data_size}};
    if (report.payload)
        json["payload"] = {{"kind", kind_of(report.payload->bytes)},
                           {"offset", report.payload->offset},
                           {"size", report.payload->bytes.size()},
                           {"digest", hex(crypto::sha384(report.payload->bytes))}};
    if (report.enrolment && *report.enrolment)
        json["enrolment"] = tools::json_of(**report.enrolment);
    return json;
}

Outcome<ExitCode> run_igvm(const std::string& name, Bytes bytes, bool json) {
    const igvm::File file = TRY(of_file(name, igvm::parse(bytes)));
    if (json)
        print_json("shim-info-igvm/1", tools::json_of(file, name));
    else
        std::cout << tools::table_of(file, name);
    return ExitCode::good;
}

Outcome<ExitCode> run(const std::string& file, bool json) {
    const auto image = TRY(read_file(file));
    if (igvm::has_magic(image))
        return run_igvm(file, image, json);
    const Report report = TRY(of_file(file, image, examine(image)));
    if (json)
        print_json("shim-info/1", json_of(report, file));
    else
        print_table(report, file);
    return ExitCode::good;
}

}} // namespace tdshim::tools

int main(int argc, char** argv) {
    using namespace tdshim;
    std::string file;
    bool json = false;
    tools::Command command(
        "shim-info",
        "Prints the TDX metadata and layout of a firmware image, or what an IGVM file loads.",
        "shim-info final.bin");
    command.options().add_option("FINAL.BIN", file, "firmware image or IGVM file")->required();
    command.add_json_option(json);
    return command.run(argc, argv, [&] { return tools::run(file, json); });
}
