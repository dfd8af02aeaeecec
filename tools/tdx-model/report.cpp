// SPDX-License-Identifier: Apache-2.0
//
// TDG.MR.RTMR.EXTEND, MR.REPORT and MR.VERIFYREPORT. Where a processor's keys would be stands
// EMULATED.
#include "tools/tdx-model/td.hpp"

#include <algorithm>
#include <bit>

#include "shim/formats/tdx/report.hpp"
#include "tools/tdx-model/emulated.hpp"
#include "tools/tdx-model/status.hpp"

namespace tdshim::tdx_model {
namespace {

constexpr std::uint8_t report_type_td = 0x81;
constexpr std::uint64_t extension_alignment = 64;

bool is_zero(Bytes bytes) {
    return std::ranges::all_of(bytes, [](std::byte byte) { return byte == std::byte{0}; });
}

/// Page states know memory that the engine does not have.
Outcome no_memory(Gpa address) {
    return {.finding = Finding{"access to memory that is absent", address.value},
            .fatal_error = {}};
}

} // namespace

Outcome Td::extend_rtmr(Registers& registers) {
    if (!is_aligned(registers[rcx], extension_alignment)) {
        registers[rax] = operand_invalid | rcx;
        return {};
    }
    Outcome outcome;
    crypto::Digest digest{};
    const auto source =
        find_operand(registers, rcx, digest.size(), OperandKind::is_private, outcome);
    if (!source)
        return outcome;
    if (registers[rdx] >= measure::rtmr_count) {
        registers[rax] = operand_invalid | rdx;
        return {};
    }
    if (!memory_.read(*source, digest))
        return no_memory(*source);
    static_cast<void>(rtmrs_.extend(static_cast<std::uint32_t>(registers[rdx]), digest));
    registers[rax] = success;
    return {};
}

std::array<std::byte, 1024> Td::report(Bytes report_data) const {
    const std::lock_guard lock(mutex_);
    return make_report(report_data);
}

std::array<std::byte, 1024> Td::make_report(Bytes report_data) const {
    tdx::Report report{};
    report.report_mac.type = report_type_td;
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

/// Both addresses must be aligned, then the data is fetched and the subtype looked at; only a
/// report that is made looks for its place. Linux has the data inside of that.
Outcome Td::write_report(Registers& registers) {
    std::array<std::byte, tdx::report_data_size> report_data{};
    Outcome outcome;
    if (!is_aligned(registers[rcx], sizeof(tdx::Report))) {
        registers[rax] = operand_invalid | rcx;
        return {};
    }
    if (!is_aligned(registers[rdx], report_data.size())) {
        registers[rax] = operand_invalid | rdx;
        return {};
    }
    constexpr auto kind = OperandKind::is_private_or_shared;
    const auto source = find_operand(registers, rdx, report_data.size(), kind, outcome);
    if (!source)
        return outcome;
    if (!memory_.read(*source, report_data))
        return no_memory(*source);
    if (registers[r8] != 0) {
        registers[rax] = operand_invalid | r8;
        return {};
    }
    const auto place = find_operand(registers, rcx, sizeof(tdx::Report), kind, outcome);
    if (!place)
        return outcome;
    if (!memory_.write(*place, make_report(report_data)))
        return no_memory(*place);
    registers[rax] = success;
    return {};
}

/// The processor checks what it made: nothing but its MAC protects the content, which here protects
/// nothing.
Outcome Td::verify_report(Registers& registers) {
    tdx::ReportMac report{};
    Outcome outcome;
    if (!is_aligned(registers[rcx], sizeof(report))) {
        registers[rax] = operand_invalid | rcx;
        return {};
    }
    const auto source =
        find_operand(registers, rcx, sizeof(report), OperandKind::is_private, outcome);
    if (!source)
        return outcome;
    if (!memory_.read(*source, std::as_writable_bytes(std::span(&report, 1))))
        return no_memory(*source);
    const bool is_formed = report.type == report_type_td && report.subtype == 0 &&
                           is_zero(report.reserved_3) && is_zero(report.reserved_192);
    if (is_formed && report.cpu_svn != emulated<16>())
        registers[rax] = invalid_cpu_svn;
    else
        registers[rax] = is_formed && report.mac == emulated<32>() ? success : invalid_report;
    return {};
}

} // namespace tdshim::tdx_model
