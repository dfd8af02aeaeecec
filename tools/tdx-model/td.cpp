// SPDX-License-Identifier: Apache-2.0
#include "tools/tdx-model/td.hpp"

#include <algorithm>
#include <bit>

#include "shim/formats/tdx/calls.hpp"
#include "shim/formats/tdx/report.hpp"

namespace tdshim::tdx_model {
namespace {

using namespace tdx;

constexpr std::uint64_t success = 0;
constexpr std::uint64_t operand_invalid = 0xC000'0100'0000'0000; // with the operand's number
constexpr std::uint64_t no_valid_ve_info = 0xC000'0704'0000'0000;
constexpr std::uint64_t page_already_accepted = 0x0000'0B0A'0000'0000; // with the level
constexpr std::uint64_t page_size_mismatch = 0xC000'0B0B'0000'0001;
constexpr std::uint64_t field_not_writable = 0xC000'0C01'0000'0000;

constexpr std::uint64_t leaf_mask = 0xFFFF;
constexpr std::uint64_t level_mask = 0x7;
constexpr std::uint64_t page_info_reserved = 0xFF8 | ~std::uint64_t{0} << 52;

/// "EMULATED" over and over.
template <std::size_t Size>
std::array<std::byte, Size> emulated() {
    constexpr std::string_view text = "EMULATED";
    std::array<std::byte, Size> bytes{};
    for (std::size_t i = 0; i < Size; ++i)
        bytes[i] = std::byte(static_cast<unsigned char>(text[i % text.size()]));
    return bytes;
}

} // namespace

bool Td::is_private(std::uint64_t address, std::uint64_t size) const {
    return (address & ~(shared_bit() - 1)) == 0 &&
           pages_.state({align_down(address, page_size)}) == PageState::accepted &&
           pages_.state({align_down(address + size - 1, page_size)}) == PageState::accepted;
}

bool GuestMemory::clear(const GpaRange& pages) {
    std::array<std::byte, page_size> content{};
    constexpr std::array<std::byte, page_size> zeros{};
    for (std::uint64_t at = pages.start().value; at < pages.end().value; at += page_size)
        if (!read({at}, content) || (content != zeros && !write({at}, zeros)))
            return false;
    return true;
}

measure::RegisterBank Td::registers() const {
    const std::lock_guard lock(mutex_);
    return rtmrs_;
}

Counts Td::counts() const {
    const std::lock_guard lock(mutex_);
    return counts_;
}

Outcome Td::tdcall(unsigned vcpu, Registers& registers) {
    const std::uint64_t leaf = registers[rax] & leaf_mask;
    if (leaf == vp_vmcall && registers[rax] == 0) {
        const std::uint64_t subfunction = registers[r10] == 0 ? registers[r11] : ~std::uint64_t{0};
        {
            const std::lock_guard lock(mutex_);
            ++counts_.tdcalls[leaf];
            ++counts_.tdvmcalls[subfunction];
        }
        return vmcall(vcpu, registers);
    }
    const std::lock_guard lock(mutex_);
    ++counts_.tdcalls[leaf];
    return execute(vcpu, registers);
}

Outcome Td::execute(unsigned vcpu, Registers& registers) {
    if ((registers[rax] & ~leaf_mask) != 0) {
        registers[rax] = operand_invalid | rax;
        return {};
    }
    switch (registers[rax]) {
    case tdx::vp_info: vp_info(vcpu, registers); break;
    case mr_rtmr_extend: registers[rax] = extend_rtmr(registers); break;
    case vp_veinfo_get: take_ve_info(vcpu, registers); break;
    case mr_report: registers[rax] = write_report(registers); break;
    case mem_page_accept: registers[rax] = accept_page(registers); break;
    case vm_rd:
    case vm_wr: access_field(registers); break;
    default: registers[rax] = operand_invalid | rax; break;
    }
    return {};
}

void Td::vp_info(unsigned vcpu, Registers& registers) const {
    registers[rax] = success;
    registers[rcx] = configuration_.gpa_width;
    registers[rdx] = configuration_.td_info.attributes;
    registers[r8] = std::uint64_t{configuration_.vcpus} << 32 | configuration_.vcpus;
    registers[r9] = vcpu;
    registers[r10] = 1;
    registers[r11] = 0;
}

bool Td::raise_ve(unsigned vcpu, const VeInfo& info) {
    const std::lock_guard lock(mutex_);
    return ve_infos_.try_emplace(vcpu, info).second;
}

void Td::take_ve_info(unsigned vcpu, Registers& registers) {
    const auto kept = ve_infos_.extract(vcpu);
    const VeInfo info = kept.empty() ? VeInfo{} : kept.mapped();
    registers[rax] = kept.empty() ? no_valid_ve_info : success;
    registers[rcx] = info.exit_reason;
    registers[rdx] = info.exit_qualification;
    registers[r8] = registers[r9] = 0; // of EPT violations, which end a run instead
    registers[r10] = info.instruction_length;
}

std::uint64_t Td::extend_rtmr(const Registers& registers) {
    const std::uint64_t address = registers[rcx];
    crypto::Digest digest{};
    if (!is_aligned(address, 64) || !is_private(address, digest.size()))
        return operand_invalid | rcx;
    if (registers[rdx] >= measure::rtmr_count)
        return operand_invalid | rdx;
    if (!memory_.read({address}, digest))
        return operand_invalid | rcx;
    static_cast<void>(rtmrs_.extend(static_cast<std::uint32_t>(registers[rdx]), digest));
    return success;
}

std::array<std::byte, 1024> Td::report(Bytes report_data) {
    tdx::Report report{};
    report.report_mac.type = 0x81;
    report.report_mac.cpu_svn = emulated<16>();
    std::ranges::copy(report_data, report.report_mac.report_data.begin());
    report.report_mac.mac = emulated<32>();
    report.tee_tcb_info.tee_tcb_svn = emulated<16>();
    report.tee_tcb_info.mr_seam = emulated<crypto::sha384_size>();
    report.td_info = configuration_.td_info;
    for (std::uint32_t i = 0; i < measure::rtmr_count; ++i)
        report.td_info.rtmr[i] = rtmrs_.value(i);
    report.report_mac.tee_tcb_info_hash = crypto::sha384(bytes_of(report.tee_tcb_info));
    report.report_mac.tee_info_hash = crypto::sha384(bytes_of(report.td_info));
    return std::bit_cast<std::array<std::byte, 1024>>(report);
}

std::uint64_t Td::write_report(const Registers& registers) {
    std::array<std::byte, tdx::report_data_size> report_data{};
    if (!is_aligned(registers[rcx], sizeof(tdx::Report)) ||
        !is_private(registers[rcx], sizeof(tdx::Report)))
        return operand_invalid | rcx;
    if (!is_aligned(registers[rdx], report_data.size()) ||
        !is_private(registers[rdx], report_data.size()) ||
        !memory_.read({registers[rdx]}, report_data))
        return operand_invalid | rdx;
    if (registers[r8] != 0)
        return operand_invalid | r8;
    // Linux has the data inside the output: it was read before.
    return memory_.write({registers[rcx]}, report(report_data)) ? success : operand_invalid | rcx;
}

std::uint64_t Td::accept_page(const Registers& registers) {
    const std::uint64_t level = registers[rcx] & level_mask;
    const std::uint64_t address = registers[rcx] & ~level_mask;
    const std::uint64_t size = level == 0 ? page_size : large_page_size;
    if (level > 1 || (registers[rcx] & page_info_reserved) != 0 || !is_aligned(address, size) ||
        (address & ~(shared_bit() - 1)) != 0)
        return operand_invalid | rcx;
    const GpaRange range = GpaRange::between({address}, {address + size});
    return level == 0 ? accept_small_page(range) : accept_large_page(range);
}

std::uint64_t Td::accept_large_page(const GpaRange& range) {
    if (pages_.is_large(range.start()))
        return page_already_accepted | 1;
    if (!configuration_.grants_large_pages || !pages_.all(range, PageState::pending))
        return page_size_mismatch;
    static_cast<void>(memory_.clear(range));
    pages_.set_large(range.start());
    ++counts_.large_pages;
    return success;
}

std::uint64_t Td::accept_small_page(const GpaRange& range) {
    if (pages_.is_large(range.start()))
        return page_already_accepted | 1;
    switch (pages_.state(range.start())) {
    case PageState::accepted: return page_already_accepted;
    // The VMM has nothing to give; a processor would ask it for ever.
    case PageState::absent:
    case PageState::shared: return operand_invalid | rcx;
    case PageState::pending: break;
    }
    static_cast<void>(memory_.clear(range));
    pages_.set(range, PageState::accepted);
    ++counts_.small_pages;
    return success;
}

/// Fields of the TD: none is modelled but as zero, which is what Linux accepts [LNX
/// arch/x86/coco/tdx].
void Td::access_field(Registers& registers) {
    const bool is_write = registers[rax] == vm_wr;
    constexpr std::uint64_t notify_enables = 0x10; // the field's code
    const bool is_writable = (registers[rdx] & 0xFF'FFFF) == notify_enables;
    registers[rax] = is_write && !is_writable ? field_not_writable | rdx : success;
    registers[r8] = 0;
}

std::optional<Finding> Td::check_access(Gpa address, std::uint64_t size, bool is_shared) {
    const std::lock_guard lock(mutex_);
    for (const std::uint64_t at : {address.value, address.value + size - 1}) {
        const PageState state = pages_.state({align_down(at, page_size)});
        if (state == PageState::pending || state == PageState::absent)
            return Finding{std::string("access to memory that is ") + name_of(state), at};
        if (is_shared != (state == PageState::shared))
            return Finding{is_shared ? "access to private memory as shared"
                                     : "access to shared memory as private",
                           at};
    }
    return std::nullopt;
}

} // namespace tdshim::tdx_model
