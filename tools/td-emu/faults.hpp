// SPDX-License-Identifier: Apache-2.0
//
// A hostile VMM described by its user: the file of --fault, read. Every fault is counted in calls
// or reads, none in time, and ends with its count or with the firmware.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tools/tdx-model/registers.hpp"

namespace tdshim::td_emu {

/// Which of the calls or reads of one kind are meant: `count` of them, the first is number `from`,
/// counted from 1.
struct Turn {
    std::uint64_t from = 1;
    std::uint64_t count = 1;

    [[nodiscard]] bool has(std::uint64_t number) const {
        return number >= from && number - from < count;
    }
};

/// A call that is answered and not carried out.
struct CallFault {
    bool is_vmcall = false;
    std::uint64_t call = 0; ///< leaf or sub-function
    Turn turn;
    std::uint64_t status = 0; ///< RAX of a leaf, R10 of a TDVMCALL
    std::vector<std::pair<tdx_model::Register, std::uint64_t>> registers;
};

/// The TD HOB changed at `offset`, or all of it another file's content.
struct HobFault {
    std::uint64_t offset = 0;
    std::vector<std::byte> bytes;
    std::string file;
};

/// An item of fw_cfg, by key or by name, that reads otherwise at `offset`; a turn is a selection.
struct ItemFault {
    std::optional<std::uint16_t> key;
    std::string name;
    Turn turn;
    std::uint64_t offset = 0;
    std::vector<std::byte> bytes;
};

/// What the VMM makes of a quote that the TD asked for; a turn is a GetQuote with a good buffer.
struct QuoteFault {
    Turn turn;
    std::uint64_t in_flight = 0;         ///< TDVMCALLs that the TD makes before it is there
    std::optional<std::uint64_t> status; ///< of the buffer
    std::optional<std::uint32_t> size;   ///< that the buffer says, whatever the quote has
    std::vector<std::byte> content;      ///< another quote, such as an old one
    std::uint64_t offset = 0;            ///< where `bytes` stand in it
    std::vector<std::byte> bytes;
};

/// When a vCPU is about to make its TDCALL number `call`, counted from 1; of no vCPU: when the TD
/// is about to make so many. 0 is the start.
struct Moment {
    std::optional<unsigned> vcpu;
    std::uint64_t call = 0;
};

/// The VMM removes a private page of the running TD and augments another (tdx_model::Td::readd).
struct PageFault {
    std::uint64_t address = 0;
    Moment moment;
};

/// A vCPU that the VMM no longer lets run: from its TDCALL number `call` on, which it does not come
/// to make, or from the instruction at `address` on, once it is at that call. It goes on at `until`
/// or when the firmware ends.
struct StopFault {
    unsigned vcpu = 0;
    std::uint64_t call = 0;
    std::optional<std::uint64_t> address;
    std::optional<Moment> until;
};

struct Faults {
    std::vector<CallFault> calls;
    std::vector<PageFault> pages;
    std::vector<StopFault> stops;
    std::vector<HobFault> hob;
    std::vector<ItemFault> items;
    std::vector<QuoteFault> quotes;
    /// What the VMM fills memory with that it adds and does not have extended into MRTD; nothing
    /// where it is zero. A place where it stands when the payload begins is a finding.
    std::vector<std::byte> fill;
    /// The other processors come to the reset vector after so many TDCALLs of the first.
    std::uint64_t others_arrive_after = 0;
    /// They come there again, as they were, from their first TDCALL.
    bool others_arrive_twice = false;
};

/// The faults that a JSON text describes (specs/td-emu.md), or where it is wrong: what was expected
/// there and what was found.
[[nodiscard]] std::expected<Faults, std::string> parse_faults(std::string_view text);

} // namespace tdshim::td_emu
