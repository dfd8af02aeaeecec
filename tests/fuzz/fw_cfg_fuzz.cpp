// SPDX-License-Identifier: Apache-2.0
//
// The fw_cfg directory: in what parse() accepts, every entry is found by its name and says what
// stands in it. The input is tried as it is, and as a list of short entries, whose names have an
// end.

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "shim/formats/fw_cfg/directory.hpp"

using namespace tdshim;

namespace {

struct ShortEntry {
    std::uint8_t size;
    std::uint8_t select;
    std::array<char, 4> name;
};

void require(bool condition) {
    if (!condition)
        std::abort();
}

void check(Bytes bytes) {
    const auto directory = fw_cfg::Directory::parse(bytes);
    if (!directory)
        return;
    require(directory->size() * sizeof(fw_cfg::DirectoryEntry) == bytes.size() &&
            directory->size() <= fw_cfg::max_files);
    for (std::size_t i = 0; i < directory->size(); ++i) {
        const auto entry =
            read_at<fw_cfg::DirectoryEntry>(bytes, i * sizeof(fw_cfg::DirectoryEntry));
        require(entry && std::ranges::contains(entry->name, '\0'));
        const std::string name = entry->name.data();
        const auto found = directory->find(name);
        require(!name.empty() && found && found->selector == entry->select &&
                found->size == entry->size && found->selector >= fw_cfg::first_file);
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Bytes input = std::as_bytes(std::span(data, size));
    check(input);
    if (const auto announced = read_at<be32>(input, 0))
        if (const auto count = fw_cfg::Directory::count(*announced))
            require(*count == *announced && *count <= fw_cfg::max_files);

    std::vector<std::byte> entries;
    Reader reader(input);
    while (const auto short_entry = reader.take<ShortEntry>()) {
        fw_cfg::DirectoryEntry entry{
            .size = short_entry->size, .select = short_entry->select, .reserved = 0, .name = {}};
        std::ranges::copy(short_entry->name, entry.name.begin());
        entries.append_range(bytes_of(entry));
    }
    check(entries);
    return 0;
}
