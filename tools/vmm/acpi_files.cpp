// SPDX-License-Identifier: Apache-2.0
#include "tools/vmm/acpi_files.hpp"

#include <filesystem>
#include <format>
#include <functional>

#include "shim/formats/acpi/loader.hpp"
#include "shim/formats/fw_cfg/directory.hpp"
#include "shim/formats/q35/chipset.hpp"
#include "tools/common/files.hpp"
#include "tools/vmm/disk_words.hpp"
#include "tools/vmm/memory_words.hpp"
#include "tools/vmm/qtest_machine.hpp"

namespace tdshim::vmm {
namespace {

namespace fs = std::filesystem;
using tools::failure;
using tools::Outcome;

using Read = std::function<Outcome<std::vector<std::byte>>(const std::string& name)>;

/// etc/table-loader and the files that it names, each read by `read`.
Outcome<std::vector<ConfigFile>> acpi_files(const Read& read, const std::string& source) {
    const std::string script_name(fw_cfg::table_loader);
    std::vector<ConfigFile> files{{script_name, TRY(read(script_name))}};
    const std::vector<std::byte> bytes = files.front().content;
    const std::string place = source + ": " + script_name;
    const acpi::Script script = TRY(tools::of_file(place, acpi::Script::open(bytes)));
    for (std::size_t i = 0; i < script.size(); ++i) {
        const acpi::Command command = TRY(tools::of_file(place, script.command(i)));
        if (command.kind != acpi::CommandKind::allocate)
            continue;
        const std::string name(command.file);
        files.push_back({name, TRY(read(name))});
    }
    return files;
}

/// The directory and the items of a machine's fw_cfg device.
class Config {
  public:
    Config(QtestMachine& machine, std::string source)
        : machine_(machine), source_(std::move(source)) {}

    Outcome<> open() {
        const auto head = TRY(machine_.read_item(fw_cfg::directory, sizeof(be32)));
        const auto announced = TRY(tools::of_file(source_, read_at<be32>(head, 0)));
        const auto count = TRY(tools::of_file(source_, fw_cfg::Directory::count(announced)));
        const std::size_t size = count * sizeof(fw_cfg::DirectoryEntry);
        bytes_ = TRY(machine_.read_item(fw_cfg::directory, sizeof(be32) + size));
        directory_ = TRY(
            tools::of_file(source_, fw_cfg::Directory::parse(Bytes(bytes_).subspan(sizeof(be32)))));
        return {};
    }

    Outcome<std::vector<std::byte>> read(const std::string& name) {
        const auto file = directory_.find(name);
        if (!file)
            return std::unexpected(failure(source_, "offers no " + name));
        return machine_.read_item(file->selector, file->size);
    }

    [[nodiscard]] bool has(std::string_view name) const {
        return directory_.find(name).has_value();
    }

  private:
    QtestMachine& machine_;
    std::string source_;
    std::vector<std::byte> bytes_;
    fw_cfg::Directory directory_;
};

// Where memory and PCI windows lie above 4 GiB depends on the processor's maker and address width:
// those of a processor with TDX.
constexpr const char* processor_with_tdx = "max,vendor=GenuineIntel,phys-bits=46";

std::vector<std::string> arguments_of(const QemuMachine& machine) {
    std::vector<std::string> arguments{machine.qemu,    "-nodefaults", "-no-user-config",
                                       "-display",      "none",        "-machine",
                                       machine.machine, "-smp",        std::to_string(machine.cpus),
                                       "-serial",       "null"};
    arguments.append_range(memory_words(machine.memory, machine.more));
    if (machine.is_td)
        arguments.insert(arguments.end(), {"-cpu", processor_with_tdx});
    arguments.append_range(without_disk_locks(machine.more));
    return arguments;
}

} // namespace

Outcome<ConfigFiles> config_files_of_qemu(const QemuMachine& machine) {
    QtestMachine qtest;
    TRY(qtest.start(arguments_of(machine)));
    static_cast<void>(devices::q35::set_up(qtest)); // another machine needs none
    Config config(qtest, machine.qemu);
    TRY(config.open());
    ConfigFiles files;
    const auto read = [&](const std::string& name) { return config.read(name); };
    if (config.has(fw_cfg::e820_table))
        files.e820 = TRY(config.read(std::string(fw_cfg::e820_table)));
    if (config.has(fw_cfg::table_loader))
        files.acpi = TRY(acpi_files(read, machine.qemu));
    if (const std::string name(fw_cfg::smbios_tables); config.has(name))
        files.smbios = ConfigFile{name, TRY(config.read(name))};
    return files;
}

Outcome<ConfigFiles> config_files_of_folder(const std::string& folder) {
    const auto path = [&](std::string_view name) { return (fs::path(folder) / name).string(); };
    ConfigFiles files;
    std::error_code ignored;
    if (const std::string e820 = path(fw_cfg::e820_table); fs::exists(e820, ignored))
        files.e820 = TRY(tools::read_file(e820));
    const auto read = [&](const std::string& name) -> Outcome<std::vector<std::byte>> {
        if (name.contains("..") || name.starts_with('/'))
            return std::unexpected(failure(path(fw_cfg::table_loader), "loads a file outside"));
        return tools::read_file(path(name));
    };
    files.acpi = TRY(acpi_files(read, folder));
    if (const std::string smbios = path(fw_cfg::smbios_tables); fs::exists(smbios, ignored))
        files.smbios =
            ConfigFile{std::string(fw_cfg::smbios_tables), TRY(tools::read_file(smbios))};
    return files;
}

Outcome<> write_config_files(const ConfigFiles& files, const std::string& folder) {
    const auto write = [&](std::string_view name, Bytes content) -> Outcome<> {
        const fs::path path = fs::path(folder) / name;
        std::error_code error;
        fs::create_directories(path.parent_path(), error);
        if (error)
            return std::unexpected(
                tools::system_failure(path.parent_path().string(), "cannot make", error.value()));
        return tools::write_file(path.string(), content);
    };
    TRY(write(fw_cfg::e820_table, files.e820));
    for (const ConfigFile& file : files.acpi)
        TRY(write(file.name, file.content));
    if (files.smbios)
        TRY(write(files.smbios->name, files.smbios->content));
    return {};
}

} // namespace tdshim::vmm
