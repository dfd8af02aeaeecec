// SPDX-License-Identifier: Apache-2.0
#include "shim/measure/contents.hpp"

#include "shim/measure/descriptors.hpp"

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

StaticVector<Opening, 3> Contents::openings(Digests digests) const {
    StaticVector<Opening, 3> steps;
    const auto add = [&](bool is_taken, Opening step) {
        if (is_taken)
            static_cast<void>(steps.push(step)); // there is room for each once
    };
    const bool is_td_shims = digests == Digests::td_shim;
    add(is_td_shims && has_svn, Opening::svn);
    add(is_td_shims && is_linux, Opening::separators);
    add(!is_td_shims || !is_of_td_shim(), Opening::contents);
    add(!is_td_shims && has_svn, Opening::svn);
    return steps;
}

Line Contents::text() const {
    Line line;
    if (has_svn)
        line << descriptor::svn << " ";
    line << descriptor::payload << "=" << word_of(kind);
    if (entry)
        line << "@" << Hex{entry->value};
    if (has_os_release)
        line << " " << descriptor::os_release;
    if (has_manifest)
        line << " " << descriptor::bundle;
    for (unsigned i = 0; i < initrds; ++i)
        line << " " << descriptor::initrd;
    if (is_linux)
        line << " " << descriptor::parameter;
    for (std::uint64_t i = 0; i < bundle_events.size(); ++i)
        if (bundle_events[i] != 0)
            line << " rtmr" << i + 2 << "=" << bundle_events[i];
    return line;
}

} // namespace tdshim::measure
