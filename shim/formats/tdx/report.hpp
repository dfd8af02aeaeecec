// SPDX-License-Identifier: Apache-2.0
//
// TDREPORT_STRUCT as it stands in memory [Intel TDX Module 1.5 ABI, TDREPORT_STRUCT]: what the
// module says about a TD, with a MAC that only this processor can check.
#pragma once

#include <array>
#include <cstddef>

#include "shim/base/bytes.hpp"
#include "shim/crypto/sha384.hpp"

namespace tdshim::tdx {

inline constexpr std::size_t report_data_size = 64;
using ReportData = std::array<std::byte, report_data_size>;

struct ReportMac {
    std::uint8_t type;                      // 0: 0x81, a TD
    std::uint8_t subtype;                   // 1
    std::uint8_t version;                   // 2: 1 when a service TD is bound
    std::array<std::byte, 13> reserved_3;   // 3
    std::array<std::byte, 16> cpu_svn;      // 16
    crypto::Digest tee_tcb_info_hash;       // 32: of TeeTcbInfo
    crypto::Digest tee_info_hash;           // 80: of TdInfo
    ReportData report_data;                 // 128
    std::array<std::byte, 32> reserved_192; // 192
    std::array<std::byte, 32> mac;          // 224: HMAC-SHA256 over what stands before
};
static_assert(sizeof(ReportMac) == 256);

struct TeeTcbInfo {
    le64 valid;                            // 256
    std::array<std::byte, 16> tee_tcb_svn; // 264
    crypto::Digest mr_seam;                // 280
    crypto::Digest mr_signer_seam;         // 328
    le64 attributes;                       // 376
    std::array<std::byte, 111> reserved;   // 384: newer modules use some
};
static_assert(sizeof(TeeTcbInfo) == 239);

struct TdInfo {
    le64 attributes;                    // 512
    le64 xfam;                          // 520
    crypto::Digest mrtd;                // 528
    crypto::Digest mr_config_id;        // 576
    crypto::Digest mr_owner;            // 624
    crypto::Digest mr_owner_config;     // 672
    std::array<crypto::Digest, 4> rtmr; // 720
    crypto::Digest servtd_hash;         // 912
    std::array<std::byte, 64> reserved; // 960
};
static_assert(sizeof(TdInfo) == 512);

struct Report {
    ReportMac report_mac;
    TeeTcbInfo tee_tcb_info;
    std::array<std::byte, 17> reserved; // 495
    TdInfo td_info;
};
static_assert(sizeof(Report) == 1024);

} // namespace tdshim::tdx
