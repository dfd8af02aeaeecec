// SPDX-License-Identifier: Apache-2.0
//
// Configuration volumes: what the parser takes keeps its promises (views inside the volume, no key
// twice, a policy that something can satisfy). The input is tried as a volume, and as the contents
// of anchor and policy in a well-formed one, where it reaches their parsers.

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "shim/formats/cfv/builder.hpp"
#include "shim/formats/cfv/volume.hpp"

using namespace tdshim;

namespace {

constexpr std::size_t volume_size = 0x2000;
constexpr std::size_t anchor_at = 0x78 + sizeof(cfv::FileHeader);
constexpr std::size_t policy_at = anchor_at + cfv::anchor_size + sizeof(cfv::FileHeader);

void require(bool condition) {
    if (!condition)
        std::abort();
}

bool is_inside(Bytes part, Bytes whole) {
    return part.empty() || (part.data() >= whole.data() &&
                            part.data() + part.size() <= whole.data() + whole.size());
}

void check_volume(Bytes volume) {
    const auto enrolment = cfv::parse(volume);
    if (!enrolment)
        return;
    require(is_inside(enrolment->anchor_file, volume) && is_inside(enrolment->policy_file, volume));
    require(cfv::is_blank(volume) ||
            !(enrolment->anchor_file.empty() && enrolment->policy_file.empty()));
    for (const cfv::Key& key : enrolment->keys) {
        require(std::ranges::count(enrolment->keys, key.hash, &cfv::Key::hash) == 1);
        require(is_inside(key.anchor, volume) && !key.anchor.empty());
        require(key.kinds != 0 && (key.kinds & ~cfv::all_payloads) == 0);
    }
    require(enrolment->policy == cfv::Policy::measured || !enrolment->keys.empty());
    require(enrolment->policy != cfv::Policy::signed_and_pinned ||
            enrolment->pinned_payloads.size() != 0);
    for (const cfv::Digests* list : {&enrolment->revoked_keys, &enrolment->revoked_payloads,
                                     &enrolment->pinned_payloads, &enrolment->aml_tables}) {
        require(list->size() <= cfv::max_digests);
        for (std::size_t i = 0; i < list->size(); ++i)
            require(is_inside((*list)[i], volume));
    }
}

/// A volume whose policy has `counts` entries of each list, with `contents` over file data from
/// `at`.
void check_patched(Bytes contents, std::size_t at, std::array<std::size_t, 4> counts) {
    const std::vector<cfv::KeyEntry> keys(counts[0]);
    const std::vector<crypto::Digest> digests(16);
    const std::span all(digests);
    std::vector<std::byte> volume(volume_size);
    require(cfv::write(volume, crypto::Digest{},
                       cfv::PolicyContents{.keys = keys,
                                           .revoked_keys = all.first(counts[1]),
                                           .revoked_payloads = all.first(counts[2]),
                                           .pinned_payloads = all.first(counts[3]),
                                           .aml_tables = all.first(counts[3] ^ 1U)})
                .has_value());
    const std::size_t size = std::min(contents.size(), volume_size - at);
    std::ranges::copy(contents.first(size), volume.begin() + static_cast<std::ptrdiff_t>(at));
    check_volume(volume);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Bytes input = std::as_bytes(std::span(data, size));
    check_volume(input);
    Reader reader(input);
    const auto choice = reader.take<std::uint8_t>();
    const auto where = reader.take<std::uint8_t>();
    if (!choice || !where)
        return 0;
    const std::array<std::size_t, 4> counts{*choice & 3U, *choice >> 2 & 3U, *choice >> 4 & 3U,
                                            *choice >> 6 & 3U};
    const Bytes rest = input.subspan(reader.offset());
    check_patched(rest, policy_at + *where % 112U, counts);
    check_patched(rest, anchor_at + *where % 112U, counts);
    check_patched(rest, *where % 0x78U, counts);
    return 0;
}
