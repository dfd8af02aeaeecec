// SPDX-License-Identifier: Apache-2.0
#include "shim/formats/bundle/manifest.hpp"

#include <algorithm>

#include "shim/formats/bundle/bundle.hpp"
#include "shim/formats/bundle/rest.hpp"

namespace tdshim::bundle {
namespace {

Result<void> take_version(Rest& rest) {
    return rest.skip(manifest_version) ? Result<void>{} : refuse(Fault::bundle_manifest, rest.at);
}

/// Whether the second of the two lines stands there.
Result<bool> take_policy(Rest& rest, const PolicyLine& lines) {
    for (std::size_t i = 0; i < lines.size(); ++i)
        if (rest.skip(lines[i]))
            return i == 1;
    return refuse(Fault::bundle_manifest, rest.at);
}

Result<std::string_view> take_title(Rest& rest) {
    if (rest.text.empty())
        return std::string_view{};
    if (!rest.skip(title_word))
        return refuse(Fault::bundle_manifest, rest.at);
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
