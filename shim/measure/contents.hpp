// SPDX-License-Identifier: Apache-2.0
//
// What RTMR[1] is made of in one boot: the kinds of all events of the firmware's, in their order,
// as the text of the register's first event. The digests that follow are those of files, which say
// nothing about what a file is used for; this text does (specs/measurement.md, "RTMR[1]").
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "shim/base/gpa.hpp"
#include "shim/base/line.hpp"
#include "shim/base/static_vector.hpp"
#include "shim/formats/payload/kind.hpp"
#include "shim/measure/measurement.hpp"

namespace tdshim::measure {

/// A step by which RTMR[1] is opened.
enum class Opening {
    svn,        ///< of a signed payload
    separators, ///< RTMR[0] and RTMR[1] are closed
    contents,   ///< the event that names the others
};

struct Contents {
    bool has_svn = false; ///< of a payload that an enrolled key signed
    /// Of what is started: the kernel of a container, never the container.
    payload::Kind kind{};
    /// Where a raw vmlinux is entered, which nothing in its bytes says.
    std::optional<Gpa> entry{};
    bool is_container = false; ///< the files come in one, which is not said in the text
    bool has_os_release = false;
    bool has_manifest = false;
    unsigned initrds = 0;
    bool is_linux = false; ///< then there is a command line, if an empty one
    /// Events of a bundle in RTMR[2] and RTMR[3]. What follows there is the operating system's.
    std::array<std::uint64_t, 2> bundle_events{};

    /// Whether td-shim has such a boot: one file, of which its own bytes tell the kind, and at most
    /// a command line. Then td-shim's events say all.
    [[nodiscard]] bool is_of_td_shim() const { return !entry && !is_container && initrds == 0; }

    /// The steps, in their order, before the payload's own events. In td-shim's way there are only
    /// the events that td-shim has, for a boot that td-shim has, and what the firmware measures
    /// ends before those of Linux.
    [[nodiscard]] StaticVector<Opening, 3> openings(Digests digests) const;

    /// "td_payload=bzimage td_initrd td_payload_info": descriptors as in the events that follow,
    /// parted by blanks; behind them "rtmr2=N" and "rtmr3=N" where N is not 0.
    [[nodiscard]] Line text() const;
};

/// "elf", "raw-vmlinux", ...: a word for `kind`, as Contents writes it.
[[nodiscard]] std::string_view word_of(payload::Kind kind);

} // namespace tdshim::measure
