// SPDX-License-Identifier: Apache-2.0
//
// An IGVM file: what a loader is told to put into a guest's memory before launch, in its order.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "shim/base/bytes.hpp"
#include "shim/base/gpa.hpp"

namespace tdshim::igvm {

enum class HeaderType : std::uint32_t {
    supported_platform = 0x1,
    guest_policy = 0x101,
    relocatable_region = 0x102,
    page_table_relocation_region = 0x103,
    corim_document = 0x104,
    corim_signature = 0x105,
    cca_policy = 0x106,
    parameter_area = 0x301,
    page_data = 0x302,
    parameter_insert = 0x303,
    vp_context = 0x304,
    required_memory = 0x305,
    vp_count = 0x307,
    srat = 0x308,
    madt = 0x309,
    mmio_ranges = 0x30A,
    snp_id_block = 0x30B,
    memory_map = 0x30C,
    error_range = 0x30D,
    command_line = 0x30E,
    slit = 0x30F,
    pptt = 0x310,
    vbs_measurement = 0x311,
    device_tree = 0x312,
    environment_info = 0x313,
};

/// "PAGE_DATA", ... as the definitions write them; empty for a type that is not known.
[[nodiscard]] std::string_view name_of(HeaderType type);

enum class PlatformType : std::uint8_t {
    native = 0,
    vsm_isolation = 1,
    sev_snp = 2,
    tdx = 3,
    sev = 4,
    sev_es = 5,
    cca = 6,
};
inline constexpr std::uint8_t last_platform = 6;

/// "TDX", "SEV_SNP", ...
[[nodiscard]] std::string_view name_of(PlatformType type);

struct Platform {
    std::uint32_t mask = 0; ///< one bit
    PlatformType type{};
    std::uint16_t version = 0;
    std::uint8_t highest_vtl = 0;
    std::uint64_t shared_gpa_boundary = 0; ///< 0: none
};

struct GuestPolicy {
    std::uint32_t mask = 0;
    std::uint64_t policy = 0;
};

struct PageData {
    GpaRange memory;
    std::uint32_t mask = 0;
    std::uint32_t file_offset = 0; ///< 0: zeros
    std::uint16_t data_type = 0;
    bool is_measured = false;
    bool is_shared = false;
};

struct ParameterArea {
    std::uint32_t index = 0;
    std::uint64_t size = 0;        ///< bytes, whole pages
    std::uint32_t file_offset = 0; ///< 0: zeros
};

struct Parameter {
    HeaderType type{}; ///< what the loader writes
    std::uint32_t area = 0;
    std::uint32_t byte_offset = 0;
};

struct ParameterInsert {
    GpaRange memory; ///< as large as the area
    std::uint32_t mask = 0;
    std::uint32_t area = 0;
};

struct RequiredMemory {
    GpaRange memory;
    std::uint32_t mask = 0;
    std::uint32_t flags = 0;
};

/// A header of which only the length was looked at: it is not for TDX, or may be ignored.
struct OtherHeader {
    std::uint32_t type = 0; ///< as it stands in the file
    std::uint32_t length = 0;
};

struct Directive {
    std::uint64_t offset = 0; ///< of the header in the file
    std::variant<PageData, ParameterArea, Parameter, ParameterInsert, RequiredMemory, OtherHeader>
        body;
};

/// Refers to the bytes that it was parsed from.
struct File {
    Bytes bytes;
    std::uint32_t version = 0;
    std::uint32_t headers_offset = 0;
    std::uint32_t headers_size = 0;
    std::uint32_t checksum = 0;
    std::vector<Platform> platforms;
    std::vector<GuestPolicy> policies;
    std::vector<OtherHeader> initializations; ///< other than guest policies
    std::vector<Directive> directives;

    /// The bit of this platform; 0 where the file is not for it.
    [[nodiscard]] std::uint32_t mask_of(PlatformType type) const;

    /// Content of a page; empty for zeros.
    [[nodiscard]] Bytes data_of(const PageData& page) const;
};

/// More than any loader's parameters need, so that no header asks for endless work.
inline constexpr std::uint64_t max_area_size = 16 * MiB;

/// True for a file that claims to be IGVM.
[[nodiscard]] bool has_magic(Bytes file);

/// `file` as an IGVM file of version 1, or 2 for x86-64, with every header checked: its place,
/// length and padding, the checksum, that pages and their data lie apart and inside, parameter
/// areas declared before use and inserted once, nothing that TDX does not have for TDX. Pages of 2
/// MiB are refused: loaders differ in how much data such a page has. Errors: truncated,
/// range_wraps, the igvm_ faults but those of the functions of writer.hpp and td_build.hpp; `at` is
/// an offset in `file`.
[[nodiscard]] Result<File> parse(Bytes file);

/// Pages that stand one after the other in the file and in memory and are treated alike, or one
/// inserted parameter area.
struct Run {
    GpaRange memory;
    std::uint32_t mask = 0;
    std::uint16_t data_type = 0;
    bool is_measured = false;
    bool is_shared = false;
    bool is_zero = false;              ///< without data in the file
    std::optional<std::uint32_t> area; ///< for what was inserted
};

/// All that is put into memory, in the file's order.
[[nodiscard]] std::vector<Run> runs_of(const File& file);

} // namespace tdshim::igvm
