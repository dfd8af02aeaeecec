// SPDX-License-Identifier: Apache-2.0
#include "shim/formats/bundle/manifest.hpp"

#include <algorithm>

#include "shim/formats/bundle/bundle.hpp"

namespace tdshim::bundle {
namespace {

/// What is left of a manifest, and where that begins.
struct Rest {
    std::string_view text;
    std::size_t at = 0;

    void skip(std::size_t count) {
        text.remove_prefix(count);
        at += count;
    }
};

Result<void> take_version(Rest& rest) {
    if (!rest.text.starts_with(manifest_version))
        return refuse(Fault::bundle_manifest, rest.at);
    rest.skip(manifest_version.size());
    return {};
}

/// Whether the second of the two lines stands there.
Result<bool> take_policy(Rest& rest, const PolicyLine& lines) {
    for (std::size_t i = 0; i < lines.size(); ++i)
        if (rest.text.starts_with(lines[i])) {
            rest.skip(lines[i].size());
            return i == 1;
        }
    return refuse(Fault::bundle_manifest, rest.at);
}

Result<std::string_view> take_title(Rest& rest) {
    if (rest.text.empty())
        return std::string_view{};
    if (!rest.text.starts_with(title_word))
        return refuse(Fault::bundle_manifest, rest.at);
    rest.skip(title_word.size());
    const std::size_t end = rest.text.find('\n');
    if (end == std::string_view::npos)
        return refuse(Fault::bundle_manifest, rest.at + rest.text.size());
    const std::string_view title = rest.text.substr(0, end);
    if (title.empty() || title.size() > max_title)
        return refuse(Fault::bundle_title, rest.at, title.empty() ? 1 : max_title, title.size());
    const auto bad = std::ranges::find_if(title, [](char c) { return c < ' ' || c > '~'; });
    if (bad != title.end())
        return refuse(Fault::bundle_title, rest.at + static_cast<std::size_t>(bad - title.begin()));
    if (title.front() == ' ' || title.back() == ' ')
        return refuse(Fault::bundle_title, rest.at);
    rest.skip(end + 1);
    return title;
}

} // namespace

Result<Manifest> parse_manifest(Bytes file) {
    Rest rest{.text = {reinterpret_cast<const char*>(file.data()), file.size()}};
    TRY(take_version(rest));
    Manifest manifest;
    manifest.appends_command_line = TRY(take_policy(rest, command_line_policy));
    manifest.appends_initrd = TRY(take_policy(rest, initrd_policy));
    manifest.title = TRY(take_title(rest));
    if (!rest.text.empty())
        return refuse(Fault::bundle_manifest, rest.at);
    return manifest;
}

} // namespace tdshim::bundle
