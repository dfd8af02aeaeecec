// SPDX-License-Identifier: Apache-2.0
//
// Linux bundles: what the parser takes keeps its promises (views in their order inside the file,
// bounds, a command line that is one) and is the one file that its parts make. The input is tried
// as a file, as patches of a good one, and as the parts of one.

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "shim/formats/bundle/builder.hpp"
#include "shim/formats/bundle/bundle.hpp"

using namespace tdshim;

namespace {

void require(bool condition) {
    if (!condition)
        std::abort();
}

void check_views(Bytes file, const bundle::Bundle& parsed) {
    const std::byte* last = file.data();
    for (const Bytes part :
         {parsed.manifest_file, parsed.kernel, parsed.initrd, parsed.command_line, parsed.events}) {
        if (part.empty())
            continue;
        require(part.data() > last && part.data() + part.size() < file.data() + file.size());
        last = part.data() + part.size() - 1;
    }
    require(!parsed.manifest_file.empty() && !parsed.kernel.empty());
    require(parsed.manifest_file.size() <= bundle::max_manifest);
    require(parsed.command_line.size() <= bundle::max_command_line);
    require(parsed.events.size() <= bundle::max_events_file);
    require(std::ranges::find(parsed.command_line, std::byte{0}) == parsed.command_line.end());
}

bool check_file(Bytes file) {
    const auto size = bundle::file_size(file);
    require(!size || *size <= file.size());
    const auto parsed = bundle::parse(file);
    if (!parsed)
        return false;
    require(bundle::has_magic(file) && size && *size == file.size());
    check_views(file, *parsed);
    const bundle::Contents contents{.manifest = parsed->manifest,
                                    .kernel = parsed->kernel,
                                    .initrd = parsed->initrd,
                                    .command_line = parsed->command_line,
                                    .events = parsed->events};
    require(bundle::size_of(contents) == file.size());
    std::vector<std::byte> again(file.size());
    require(bundle::write(again, contents).has_value());
    require(std::ranges::equal(again, file));
    return true;
}

std::vector<std::byte> written(const bundle::Contents& contents) {
    const auto size = bundle::size_of(contents);
    if (!size)
        return {};
    std::vector<std::byte> file(*size);
    require(bundle::write(file, contents).has_value());
    return file;
}

/// `input` cut into the parts of a bundle, by the numbers at its front.
void check_parts(Bytes input) {
    Reader reader(input);
    std::array<Bytes, 5> parts;
    const auto flags = reader.take<std::uint8_t>();
    for (Bytes& part : parts)
        if (const auto size = reader.take<std::uint8_t>())
            part = *reader.take_bytes(std::min<std::size_t>(*size, reader.left()));
    const bundle::Contents contents{
        .manifest = {.appends_command_line = flags && (*flags & 1) != 0,
                     .appends_initrd = flags && (*flags & 2) != 0,
                     .title = {reinterpret_cast<const char*>(parts[0].data()), parts[0].size()}},
        .kernel = parts[1],
        .initrd = parts[2],
        .command_line = parts[3],
        .events = parts[4]};
    const std::vector<std::byte> file = written(contents);
    if (!file.empty())
        check_file(file);
}

/// A good bundle with pieces of `input` over its bytes: it is refused, or it is another one.
void check_patched(Bytes input) {
    constexpr std::array<std::byte, 9> nine{};
    const auto text = bytes_of(std::string_view("console=x"));
    std::vector<std::byte> file = written({.manifest = {.title = "a title"},
                                           .kernel = nine,
                                           .initrd = nine,
                                           .command_line = text,
                                           .events = text});
    Reader reader(input);
    while (const auto at = reader.take<le16>()) {
        const auto byte = reader.take<std::byte>();
        if (!byte)
            break;
        file[*at % file.size()] = *byte;
    }
    check_file(file);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Bytes input = std::as_bytes(std::span(data, size));
    check_file(input);
    check_parts(input);
    check_patched(input);
    static_cast<void>(bundle::parse_manifest(input));
    return 0;
}
