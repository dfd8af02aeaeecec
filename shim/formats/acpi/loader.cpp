// SPDX-License-Identifier: Apache-2.0
#include "shim/formats/acpi/loader.hpp"

#include <algorithm>
#include <array>
#include <bit>

namespace tdshim::acpi {
namespace {

constexpr std::uint32_t max_alignment = 64 * KiB;
constexpr std::uint8_t zone_high = 1;
constexpr std::uint8_t zone_fseg = 2;

Result<std::string_view> name_at(Bytes wire, std::size_t offset, std::uint64_t at) {
    const Bytes field = wire.subspan(offset, sizeof(LoaderFileName));
    const std::string_view text(reinterpret_cast<const char*>(field.data()), field.size());
    const std::size_t length = text.find('\0');
    if (length == 0 || length == std::string_view::npos)
        return refuse(Fault::loader_file_name, at + offset);
    return text.substr(0, length);
}

bool is_pointer_size(std::uint8_t size) {
    return size <= 8 && std::has_single_bit(size);
}

/// Whether `value` can be written in `size` bytes.
bool fits(std::uint64_t value, std::uint8_t size) {
    return size == 8 || value >> (8 * size) == 0;
}

std::uint64_t load(Bytes field) {
    std::uint64_t value = 0;
    for (std::size_t i = field.size(); i != 0; --i)
        value = value << 8 | std::to_integer<std::uint64_t>(field[i - 1]);
    return value;
}

void store(MutableBytes field, std::uint64_t value) {
    for (std::byte& byte : field) {
        byte = static_cast<std::byte>(value);
        value >>= 8;
    }
}

Result<Command> allocate_command(const LoaderCommand& wire, Command command) {
    command.alignment = wire.allocate.alignment;
    if (!std::has_single_bit(command.alignment) || command.alignment > max_alignment)
        return refuse(Fault::loader_alignment, command.at, max_alignment, command.alignment);
    if (wire.allocate.zone != zone_high && wire.allocate.zone != zone_fseg)
        return refuse(Fault::loader_zone, command.at, zone_high, wire.allocate.zone);
    return command;
}

Result<Command> pointer_command(Bytes bytes, Command command, std::uint8_t size) {
    command.source = TRY(name_at(bytes, sizeof(le32) + sizeof(LoaderFileName), command.at));
    command.pointer_size = size;
    if (!is_pointer_size(size))
        return refuse(Fault::loader_pointer_size, command.at, sizeof(std::uint64_t), size);
    return command;
}

/// The `size` bytes at `offset` of `file`.
Result<MutableBytes> field_of(const LoadedFile& file, std::uint32_t offset, std::uint8_t size,
                              std::uint64_t at) {
    const auto field = part_of(file.content, offset, size);
    if (!field)
        return refuse(Fault::loader_offset, at, file.content.size(), offset);
    return *field;
}

} // namespace

Result<Script> Script::open(Bytes bytes) {
    if (bytes.size() % sizeof(LoaderCommand) != 0)
        return refuse(Fault::loader_size, bytes.size(), sizeof(LoaderCommand),
                      bytes.size() % sizeof(LoaderCommand));
    const Script script(bytes);
    if (script.size() > max_commands)
        return refuse(Fault::too_many_entries, 0, max_commands, script.size());
    return script;
}

Result<Command> Script::command(std::size_t index) const {
    const std::uint64_t at = index * sizeof(LoaderCommand);
    const auto wire = TRY(read_at<LoaderCommand>(bytes_, at));
    const Bytes bytes = bytes_.subspan(at, sizeof(LoaderCommand));
    Command command;
    command.kind = static_cast<CommandKind>(static_cast<std::uint32_t>(wire.command));
    command.at = at;
    if (command.kind == CommandKind::padding)
        return command;
    if (command.kind > CommandKind::write_pointer)
        return refuse(Fault::loader_command, at,
                      static_cast<std::uint64_t>(CommandKind::write_pointer), wire.command);
    command.file = TRY(name_at(bytes, sizeof(le32), at));
    switch (command.kind) {
    case CommandKind::padding: return command;
    case CommandKind::allocate: return allocate_command(wire, command);
    case CommandKind::add_pointer:
        command.offset = wire.add_pointer.offset;
        return pointer_command(bytes, command, wire.add_pointer.size);
    case CommandKind::add_checksum:
        command.offset = wire.add_checksum.offset;
        command.start = wire.add_checksum.start;
        command.length = wire.add_checksum.length;
        return command;
    case CommandKind::write_pointer:
        command.offset = wire.write_pointer.offset;
        command.source_offset = wire.write_pointer.source_offset;
        return pointer_command(bytes, command, wire.write_pointer.size);
    }
    return refuse(Fault::loader_command, at);
}

const LoadedFile* LoadedFiles::find(std::string_view name) const {
    const auto found = std::ranges::find(files_, name, &LoadedFile::name);
    return found == files_.end() ? nullptr : &*found;
}

Bytes LoadedFiles::from(Gpa address) const {
    for (const LoadedFile& file : files_)
        if (address >= file.place && address.value - file.place.value < file.content.size())
            return file.content.subspan(address.value - file.place.value);
    return {};
}

Result<void> LoadedFiles::add(const Command& allocate, Gpa place, MutableBytes content) {
    if (find(allocate.file) != nullptr)
        return refuse(Fault::loader_file_twice, allocate.at);
    if (!files_.push({allocate.file, place, content}))
        return refuse(Fault::too_many_entries, allocate.at, max_loaded_files, max_loaded_files + 1);
    return {};
}

Result<void> LoadedFiles::add_pointer(const Command& command) {
    const LoadedFile* const file = find(command.file);
    const LoadedFile* const source = find(command.source);
    if (file == nullptr || source == nullptr)
        return refuse(Fault::loader_file_unknown, command.at);
    const MutableBytes field =
        TRY(field_of(*file, command.offset, command.pointer_size, command.at));
    const std::uint64_t offset = load(field);
    if (offset >= source->content.size())
        return refuse(Fault::loader_offset, command.at, source->content.size(), offset);
    const std::uint64_t value = source->place.value + offset;
    if (!fits(value, command.pointer_size))
        return refuse(Fault::loader_pointer_size, command.at, command.pointer_size, value);
    store(field, value);
    return {};
}

Result<void> LoadedFiles::add_checksum(const Command& command) {
    const LoadedFile* const file = find(command.file);
    if (file == nullptr)
        return refuse(Fault::loader_file_unknown, command.at);
    const auto summed = part_of(file->content, command.start, command.length);
    if (!summed || summed->empty())
        return refuse(Fault::loader_checksum_range, command.at, file->content.size(),
                      std::uint64_t{command.start} + command.length);
    const MutableBytes field = TRY(field_of(*file, command.offset, 1, command.at));
    std::uint8_t sum = 0;
    for (const std::byte byte : *summed)
        sum = static_cast<std::uint8_t>(sum + std::to_integer<std::uint8_t>(byte));
    store(field, load(field) - sum);
    return {};
}

Result<std::uint64_t> LoadedFiles::pointer_value(const Command& command) const {
    const LoadedFile* const source = find(command.source);
    if (source == nullptr)
        return refuse(Fault::loader_file_unknown, command.at);
    if (command.source_offset >= source->content.size())
        return refuse(Fault::loader_offset, command.at, source->content.size(),
                      command.source_offset);
    const std::uint64_t value = source->place.value + command.source_offset;
    if (!fits(value, command.pointer_size))
        return refuse(Fault::loader_pointer_size, command.at, command.pointer_size, value);
    return value;
}

} // namespace tdshim::acpi
