// SPDX-License-Identifier: Apache-2.0
#include "shim/formats/bundle/bundle.hpp"

#include <algorithm>

#include "shim/base/checked.hpp"

namespace tdshim::bundle {
namespace {

/// One entry of the archive.
struct Entry {
    std::size_t member = trailer;
    std::size_t at = 0; ///< of its header
    Bytes contents;
    std::size_t end = 0; ///< where the next begins
};

/// What a walk to the trailer finds.
struct Walk {
    std::array<Bytes, member_count> contents;
    std::size_t end = 0;
};

Result<std::uint32_t> value_of(const Digits& digits, std::size_t at) {
    std::uint32_t value = 0;
    for (const char digit : digits) {
        const bool is_decimal = digit >= '0' && digit <= '9';
        if (!is_decimal && (digit < 'A' || digit > 'F'))
            return refuse(Fault::bundle_number, at);
        value =
            value << 4 | static_cast<std::uint32_t>(is_decimal ? digit - '0' : digit - 'A' + 10);
    }
    return value;
}

Result<Values> read_values(Bytes file, std::size_t at) {
    const auto header = TRY(read_at<Header>(file, at));
    if (std::string_view(header.magic.data(), header.magic.size()) != magic)
        return refuse(Fault::bundle_magic, at);
    Values values{};
    for (std::size_t i = 0; i < values.size(); ++i)
        values[i] = TRY(value_of(header.fields[i], at + offset_of(Field{i})));
    return values;
}

/// `size` bytes at `at`, then zeros up to the next entry's or contents' place, which becomes `at`.
Result<Bytes> take_padded(Bytes file, std::size_t& at, std::size_t size) {
    const auto bytes = part_of(file, at, size);
    if (!bytes)
        return refuse(Fault::truncated, at, size, file.size() - at);
    const std::size_t end = at + size;
    const auto padding = part_of(file, end, *align_up(end, alignment) - end);
    if (!padding)
        return refuse(Fault::truncated, end, *align_up(end, alignment) - end, file.size() - end);
    const auto other =
        std::ranges::find_if(*padding, [](std::byte byte) { return byte != std::byte{0}; });
    if (other != padding->end())
        return refuse(Fault::bundle_padding,
                      end + static_cast<std::size_t>(other - padding->begin()));
    at = end + padding->size();
    return *bytes;
}

/// Which of the names stands there, byte for byte and with its one NUL.
Result<std::size_t> member_of(Bytes name, std::size_t at) {
    for (std::size_t i = 0; i < names.size(); ++i)
        if (name.size() == names[i].size() + 1 && name.back() == std::byte{0} &&
            std::ranges::equal(name.first(names[i].size()), bytes_of(names[i])))
            return i;
    return refuse(Fault::bundle_name, at);
}

Result<void> check_size(std::size_t member, std::uint32_t size, std::size_t at) {
    if (member == trailer)
        return {}; // its header has one form
    if (size == 0 || size > max_sizes[member])
        return refuse(Fault::bundle_member_size, at + offset_of(field_size),
                      size == 0 ? 1 : max_sizes[member], size);
    return {};
}

Result<Entry> read_entry(Bytes file, std::size_t at) {
    Entry entry{.at = at, .contents = {}};
    const Values found = TRY(read_values(file, at));
    const std::uint32_t name_size = found[field_name_size];
    if (name_size == 0 || name_size > max_name_size)
        return refuse(Fault::bundle_name, at + offset_of(field_name_size), max_name_size,
                      name_size);
    const std::size_t name_at = at + sizeof(Header);
    entry.end = name_at;
    const Bytes name = TRY(take_padded(file, entry.end, name_size));
    entry.member = TRY(member_of(name, name_at));
    const std::uint32_t size = entry.member == trailer ? 0 : found[field_size];
    const Values expected = values_of(entry.member, size);
    for (std::size_t i = 0; i < found.size(); ++i)
        if (found[i] != expected[i])
            return refuse(Fault::bundle_field, at + offset_of(Field{i}), expected[i], found[i]);
    TRY(check_size(entry.member, size, at));
    entry.contents = TRY(take_padded(file, entry.end, size));
    return entry;
}

/// `next`: the first member that may still come.
Result<void> check_order(const Walk& walk, const Entry& entry, std::size_t next) {
    if (entry.member < next)
        return refuse(walk.contents[entry.member].empty() ? Fault::bundle_order
                                                          : Fault::bundle_twice,
                      entry.at);
    for (const std::size_t needed : {member_manifest, member_kernel})
        if (next <= needed && needed < entry.member)
            return refuse(Fault::bundle_missing, entry.at);
    return {};
}

Result<Walk> walk_of(Bytes file) {
    Walk walk;
    std::size_t next = 0;
    while (next <= trailer) {
        const Entry entry = TRY(read_entry(file, walk.end));
        TRY(check_order(walk, entry, next));
        next = entry.member + 1;
        walk.end = entry.end;
        if (entry.member == trailer)
            break;
        walk.contents[entry.member] = entry.contents;
    }
    return walk;
}

/// What `parser` makes of a member of `file`, with an error's place in the file.
template <class Parser>
auto inside(Bytes file, Bytes member, Parser parser) {
    return parser(member).transform_error([&](Error error) {
        error.at += static_cast<std::uint64_t>(member.data() - file.data());
        return error;
    });
}

} // namespace

bool has_magic(Bytes file) {
    return file.size() >= magic.size() &&
           std::ranges::equal(file.first(magic.size()), bytes_of(magic));
}

Result<void> check_command_line(Bytes text) {
    const auto bad = std::ranges::find_if(text, [](std::byte byte) {
        return byte == std::byte{0} || byte == std::byte{'\n'} || byte == std::byte{'\r'};
    });
    if (bad != text.end())
        return refuse(Fault::bundle_command_line, static_cast<std::uint64_t>(bad - text.begin()));
    return {};
}

Result<Bundle> parse(Bytes file) {
    const Walk walk = TRY(walk_of(file));
    if (walk.end != file.size())
        return refuse(Fault::bundle_trailing, walk.end, 0, file.size() - walk.end);
    const Manifest manifest = TRY(inside(file, walk.contents[member_manifest], parse_manifest));
    TRY(inside(file, walk.contents[member_command_line], check_command_line));
    return Bundle{.manifest = manifest,
                  .manifest_file = walk.contents[member_manifest],
                  .kernel = walk.contents[member_kernel],
                  .initrd = walk.contents[member_initrd],
                  .command_line = walk.contents[member_command_line],
                  .events = walk.contents[member_events]};
}

Result<std::uint64_t> file_size(Bytes memory) {
    const Walk walk = TRY(walk_of(memory));
    return walk.end;
}

} // namespace tdshim::bundle
