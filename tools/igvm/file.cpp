// SPDX-License-Identifier: Apache-2.0
#include "tools/igvm/file.hpp"

#include "tools/igvm/wire.hpp"

namespace tdshim::igvm {

std::string_view name_of(HeaderType type) {
    switch (type) {
    case HeaderType::supported_platform: return "SUPPORTED_PLATFORM";
    case HeaderType::guest_policy: return "GUEST_POLICY";
    case HeaderType::relocatable_region: return "RELOCATABLE_REGION";
    case HeaderType::page_table_relocation_region: return "PAGE_TABLE_RELOCATION_REGION";
    case HeaderType::corim_document: return "CORIM_DOCUMENT";
    case HeaderType::corim_signature: return "CORIM_SIGNATURE";
    case HeaderType::cca_policy: return "CCA_POLICY";
    case HeaderType::parameter_area: return "PARAMETER_AREA";
    case HeaderType::page_data: return "PAGE_DATA";
    case HeaderType::parameter_insert: return "PARAMETER_INSERT";
    case HeaderType::vp_context: return "VP_CONTEXT";
    case HeaderType::required_memory: return "REQUIRED_MEMORY";
    case HeaderType::vp_count: return "VP_COUNT_PARAMETER";
    case HeaderType::srat: return "SRAT";
    case HeaderType::madt: return "MADT";
    case HeaderType::mmio_ranges: return "MMIO_RANGES";
    case HeaderType::snp_id_block: return "SNP_ID_BLOCK";
    case HeaderType::memory_map: return "MEMORY_MAP";
    case HeaderType::error_range: return "ERROR_RANGE";
    case HeaderType::command_line: return "COMMAND_LINE";
    case HeaderType::slit: return "SLIT";
    case HeaderType::pptt: return "PPTT";
    case HeaderType::vbs_measurement: return "VBS_MEASUREMENT";
    case HeaderType::device_tree: return "DEVICE_TREE";
    case HeaderType::environment_info: return "ENVIRONMENT_INFO_PARAMETER";
    }
    return {};
}

std::string_view name_of(PlatformType type) {
    switch (type) {
    case PlatformType::native: return "NATIVE";
    case PlatformType::vsm_isolation: return "VSM_ISOLATION";
    case PlatformType::sev_snp: return "SEV_SNP";
    case PlatformType::tdx: return "TDX";
    case PlatformType::sev: return "SEV";
    case PlatformType::sev_es: return "SEV_ES";
    case PlatformType::cca: return "CCA";
    }
    return {};
}

std::uint32_t File::mask_of(PlatformType type) const {
    std::uint32_t mask = 0;
    for (const Platform& platform : platforms)
        if (platform.type == type)
            mask |= platform.mask;
    return mask;
}

Bytes File::data_of(const PageData& page) const {
    return page.file_offset == 0 ? Bytes{} : bytes.subspan(page.file_offset, page_size);
}

bool has_magic(Bytes file) {
    const auto found = read_at<le32>(file, 0);
    return found && *found == magic;
}

namespace {

Run run_of(const PageData& page) {
    return {.memory = page.memory,
            .mask = page.mask,
            .data_type = page.data_type,
            .is_measured = page.is_measured,
            .is_shared = page.is_shared,
            .is_zero = page.file_offset == 0,
            .area = {}};
}

Run run_of(const ParameterInsert& insert) {
    return {.memory = insert.memory, .mask = insert.mask, .area = insert.area};
}

bool continues(const Run& run, const Run& next) {
    return !run.area && !next.area && run.memory.end() == next.memory.start() &&
           run.mask == next.mask && run.data_type == next.data_type &&
           run.is_measured == next.is_measured && run.is_shared == next.is_shared &&
           run.is_zero == next.is_zero;
}

} // namespace

std::vector<Run> runs_of(const File& file) {
    std::vector<Run> runs;
    for (const Directive& directive : file.directives) {
        const auto* page = std::get_if<PageData>(&directive.body);
        const auto* insert = std::get_if<ParameterInsert>(&directive.body);
        if (page == nullptr && insert == nullptr)
            continue;
        const Run next = page != nullptr ? run_of(*page) : run_of(*insert);
        if (!runs.empty() && continues(runs.back(), next))
            runs.back().memory = GpaRange::between(runs.back().memory.start(), next.memory.end());
        else
            runs.push_back(next);
    }
    return runs;
}

} // namespace tdshim::igvm
