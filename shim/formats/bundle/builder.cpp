// SPDX-License-Identifier: Apache-2.0
#include "shim/formats/bundle/builder.hpp"

#include "shim/base/checked.hpp"
#include "shim/formats/bundle/manifest.hpp"

namespace tdshim::bundle {
namespace {

Digits digits_of(std::uint32_t value) {
    constexpr std::string_view all = "0123456789ABCDEF";
    Digits digits{};
    for (std::size_t i = 0; i < digits.size(); ++i)
        digits[i] = all[value >> 4 * (digits.size() - 1 - i) & 0xF];
    return digits;
}

/// A manifest as text, in memory of its own.
class ManifestText {
  public:
    /// Nothing is put in when `manifest` does not fit, which only a title beyond its bound causes.
    explicit ManifestText(const Manifest& manifest) : writer_(text_) {
        is_whole_ = put(manifest_version) &&
                    put(command_line_policy[manifest.appends_command_line ? 1 : 0]) &&
                    put(initrd_policy[manifest.appends_initrd ? 1 : 0]);
        if (is_whole_ && !manifest.title.empty())
            is_whole_ = put(title_word) && put(manifest.title) && put("\n");
    }
    ManifestText(const ManifestText&) = delete;
    ManifestText& operator=(const ManifestText&) = delete;

    /// Empty when the text did not fit.
    [[nodiscard]] Bytes text() const { return Bytes(text_).first(is_whole_ ? writer_.size() : 0); }

  private:
    [[nodiscard]] bool put(std::string_view text) { return writer_.put(bytes_of(text)); }
    std::array<std::byte, max_manifest> text_{};
    Writer writer_;
    bool is_whole_ = false;
};

using Parts = std::array<Bytes, member_count>;

Parts parts_of(const Contents& contents, Bytes manifest) {
    Parts parts;
    parts[member_manifest] = manifest;
    parts[member_kernel] = contents.kernel;
    parts[member_initrd] = contents.initrd;
    parts[member_command_line] = contents.command_line;
    parts[member_events] = contents.events;
    return parts;
}

std::uint64_t padded(std::uint64_t size) {
    return (size + alignment - 1) & ~std::uint64_t{alignment - 1};
}

std::uint64_t entry_size(std::size_t member, std::uint64_t contents) {
    return padded(sizeof(Header) + names[member].size() + 1) + padded(contents);
}

bool is_left_out(std::size_t member, Bytes part) {
    return part.empty() && member > member_kernel;
}

Result<std::uint64_t> size_of(const Parts& parts) {
    std::uint64_t size = entry_size(trailer, 0);
    for (std::size_t i = 0; i < parts.size(); ++i) {
        if (is_left_out(i, parts[i]))
            continue;
        if (parts[i].empty() || parts[i].size() > max_sizes[i])
            return refuse(Fault::bundle_member_size, 0, parts[i].empty() ? 1 : max_sizes[i],
                          parts[i].size());
        size += entry_size(i, parts[i].size());
    }
    return size;
}

[[nodiscard]] bool put_padded(Writer& writer, Bytes bytes) {
    constexpr std::array<std::byte, alignment> zeros{};
    return writer.put(bytes) &&
           writer.put(Bytes(zeros).first(padded(writer.size()) - writer.size()));
}

[[nodiscard]] bool put_entry(Writer& writer, std::size_t member, Bytes contents) {
    Header header{};
    std::ranges::copy(magic, header.magic.begin());
    const Values values = values_of(member, static_cast<std::uint32_t>(contents.size()));
    std::ranges::transform(values, header.fields.begin(), digits_of);
    constexpr std::byte nul{0};
    return writer.put(header) && writer.put(bytes_of(names[member])) &&
           put_padded(writer, bytes_of(nul)) && put_padded(writer, contents);
}

} // namespace

Result<std::uint64_t> size_of(const Contents& contents) {
    const ManifestText manifest(contents.manifest);
    return size_of(parts_of(contents, manifest.text()));
}

Result<void> write(MutableBytes area, const Contents& contents) {
    const ManifestText manifest(contents.manifest);
    const Parts parts = parts_of(contents, manifest.text());
    const std::uint64_t size = TRY(size_of(parts));
    Writer writer(area);
    bool fits = size == area.size();
    for (std::size_t i = 0; fits && i < parts.size(); ++i)
        if (!is_left_out(i, parts[i]))
            fits = put_entry(writer, i, parts[i]);
    if (!fits || !put_entry(writer, trailer, {}))
        return refuse(Fault::truncated, 0, size, area.size());
    return {};
}

} // namespace tdshim::bundle
