// SPDX-License-Identifier: Apache-2.0
#include "shim/measure/contents.hpp"

namespace tdshim::measure {

std::string_view word_of(payload::Kind kind) {
    switch (kind) {
    case payload::Kind::elf: return "elf";
    case payload::Kind::pe: return "pe";
    case payload::Kind::bzimage: return "bzimage";
    case payload::Kind::vmlinux: return "vmlinux";
    case payload::Kind::raw_vmlinux: return "raw-vmlinux";
    case payload::Kind::uki: return "uki";
    case payload::Kind::bundle: return "bundle";
    }
    return {};
}

Line Contents::text() const {
    Line line;
    if (has_svn)
        line << "td_payload_svn ";
    line << "td_payload=" << word_of(kind);
    if (entry)
        line << "@" << Hex{entry->value};
    if (has_os_release)
        line << " td_osrel";
    if (has_manifest)
        line << " td_bundle";
    for (unsigned i = 0; i < initrds; ++i)
        line << " td_initrd";
    if (is_linux)
        line << " td_payload_info";
    for (std::uint64_t i = 0; i < bundle_events.size(); ++i)
        if (bundle_events[i] != 0)
            line << " rtmr" << i + 2 << "=" << bundle_events[i];
    return line;
}

} // namespace tdshim::measure
