// SPDX-License-Identifier: Apache-2.0
#include "tools/td-emu/machine.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <format>
#include <fstream>
#include <iostream>
#include <sys/un.h>
#include <unistd.h>
#include <utility>

#include "shim/formats/tdvf/footer.hpp"
#include "shim/formats/tdx/report.hpp"
#include "shim/memory/layout.hpp"
#include "tools/common/files.hpp"
#include "tools/common/inputs.hpp"
#include "tools/common/look.hpp"
#include "tools/common/text.hpp"
#include "tools/measurements/logged.hpp"
#include "tools/td-emu/child_process.hpp"
#include "tools/td-emu/chosen_fault.hpp"
#include "tools/td-emu/end_watch.hpp"
#include "tools/td-emu/quote_service.hpp"
#include "tools/td-emu/run_end.hpp"
#include "tools/td-emu/settings.hpp"
#include "tools/td-emu/statistics.hpp"
#include "tools/td-emu/td_devices.hpp"
#include "tools/tdx-model/td_build.hpp"
#include "tools/vmm/brought.hpp"
#include "tools/vmm/memory_words.hpp"
#include "tools/vmm/td_hob.hpp"

namespace tdshim::td_emu {
namespace {

namespace fs = std::filesystem;
using tools::failure;
using tools::Failure;
using tools::Outcome;
using tools::system_failure;

/// A folder that goes with the run.
class Scratch {
  public:
    explicit Scratch(std::string path) : path_(std::move(path)) {}
    ~Scratch() {
        std::error_code ignored;
        fs::remove_all(path_, ignored);
    }
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;

    [[nodiscard]] std::string file(const std::string& name) const { return path_ + "/" + name; }

  private:
    std::string path_;
};

constexpr const char* qtest_name = "qtest";
constexpr const char* quotes_name = "quotes";
static_assert(std::string_view(quotes_name).size() >= std::string_view(qtest_name).size());

/// A new folder for a run, in which a socket can be.
Outcome<std::string> scratch_folder() {
    std::error_code error;
    const fs::path parent = fs::temp_directory_path(error);
    if (error)
        return std::unexpected(
            system_failure("TMPDIR", "leads to no folder for temporary files", error.value()));
    std::string path = (parent / "td-emu-XXXXXX").string();
    constexpr std::size_t longest = sizeof(sockaddr_un::sun_path) - 1;
    if (const std::size_t size = path.size() + 1 + std::strlen(quotes_name); size > longest)
        return std::unexpected(failure(
            "TMPDIR",
            std::format("is too long for a socket there: expected a path of at most {} bytes, "
                        "found {}; give another, such as TMPDIR=/tmp",
                        longest, size)));
    if (::mkdtemp(path.data()) == nullptr)
        return std::unexpected(system_failure(path, "cannot make a folder", errno));
    return path;
}

/// Where the TD's console goes.
class Console {
  public:
    explicit Console(int descriptor) : descriptor_(descriptor) {}
    ~Console() {
        if (descriptor_ > STDERR_FILENO)
            ::close(descriptor_);
    }
    Console(const Console&) = delete;
    Console& operator=(const Console&) = delete;

    [[nodiscard]] int descriptor() const { return descriptor_; }

  private:
    int descriptor_;
};

Outcome<int> open_console(const Options& options) {
    if (options.console_file.empty())
        return options.json ? STDERR_FILENO : STDOUT_FILENO;
    TRY(tools::make_file(options.console_file));
    const int descriptor = ::open(options.console_file.c_str(), O_WRONLY | O_CLOEXEC);
    if (descriptor < 0)
        return std::unexpected(system_failure(options.console_file, "cannot write", errno));
    return descriptor;
}

/// A file that stands beside this program.
std::string neighbour(const std::string& name) {
    std::error_code ignored;
    return (fs::read_symlink("/proc/self/exe", ignored).parent_path() / name).string();
}

struct Image {
    std::vector<std::byte> bytes;
    tdvf::Metadata metadata;
    bool is_ours = false; ///< shim-ld linked it

    [[nodiscard]] GpaRange memory() const {
        return GpaRange::between({layout::image_end - bytes.size()}, {layout::image_end});
    }
};

Outcome<Image> read_image(const std::string& file) {
    Image image{.bytes = TRY(tools::read_file(file)), .metadata = {}};
    image.metadata = TRY(tools::of_file(file, image.bytes, tdvf::parse_metadata(image.bytes)));
    image.is_ours = TRY(tools::of_file(file, tdvf::find_image_info(image.bytes))).has_value();
    return image;
}

/// Sections have fixed addresses: the TD has to have memory there.
Outcome<> check_memory(const Options& options, const Image& image) {
    const auto ram = vmm::ram_of(vmm::Kind::qemu, options.memory);
    const tdvf::Section* highest = nullptr;
    for (const tdvf::Section& section : image.metadata.sections)
        if (!section.memory.empty() && !image.memory().overlaps(section.memory) &&
            (highest == nullptr || highest->memory.end().value < section.memory.end().value))
            highest = &section;
    if (highest == nullptr || std::ranges::any_of(ram, [&](const GpaRange& range) {
            return range.contains(highest->memory);
        }))
        return {};
    const std::uint64_t end = highest->memory.end().value;
    return std::unexpected(
        failure("--memory", std::format("is too little: expected memory up to {:#x}, where the {} "
                                        "section of {} ends, found {} MiB (give {}M or more)",
                                        end, tdvf::name_of(highest->type), options.firmware,
                                        options.memory / MiB, (end + MiB - 1) / MiB)));
}

/// Behind what is put there of memory that is added and not extended. The firmware's image is not
/// memory that a VMM allocates.
std::vector<GpaRange> free_memory(const Image& image, const vmm::Brought& brought) {
    std::vector<GpaRange> ranges;
    for (const tdvf::Section& section : image.metadata.sections) {
        constexpr std::uint32_t not_free = tdvf::attribute_mr_extend | tdvf::attribute_page_aug;
        if ((section.attributes & not_free) != 0 || image.memory().overlaps(section.memory))
            continue;
        const std::uint64_t used = section.type == tdvf::SectionType::td_hob
                                       ? brought.hob.size()
                                       : brought.placement.content_of(section.type).size();
        ranges.push_back(
            GpaRange::between({section.memory.start().value + used}, section.memory.end()));
    }
    return ranges;
}

Outcome<Settings> settings_for(const Options& options, const ChosenFault& fault, const Image& image,
                               const vmm::Brought& brought, const Scratch& scratch) {
    Settings settings;
    settings.configuration.td_info = TRY(tools::td_info_of(options.identity));
    settings.fault = fault.named;
    settings.fault_text = fault.text;
    settings.configuration.gpa_width = options.gpa_width;
    settings.configuration.vcpus = options.vcpus;
    settings.configuration.module_version = options.module_version;
    settings.configuration.grants_large_pages = options.grants_large_pages;
    settings.configuration.flexible_pending_ve = options.flexible_pending_ve;
    settings.configuration.td_info.mrtd = tdx_model::mrtd_of(
        image.bytes, image.metadata, options.load_order,
        [&](tdvf::SectionType type) { return brought.placement.content_of(type); });
    settings.ram = vmm::ram_of(vmm::Kind::qemu, options.memory);
    settings.firmware = {image.memory()};
    if (image.is_ours)
        settings.firmware.push_back(layout::shim_code);
    for (const tdvf::Section& section : image.metadata.sections)
        if (!section.memory.empty() && (section.attributes & tdvf::attribute_page_aug) == 0)
            settings.added.push_back(section.memory);
    settings.free = free_memory(image, brought);
    for (const tdvf::Section& section : image.metadata.sections)
        if (section.type == tdvf::SectionType::cfv &&
            (section.attributes & tdvf::attribute_mr_extend) == 0)
            settings.unmeasured_payload = section.memory;
    const auto info = tdvf::find_image_info(image.bytes);
    settings.is_tdshim = info && info->has_value();
    // The log has all of a section whose digest is that of all of it.
    if (settings.is_tdshim && ((*info)->options & tdvf::option_region_digests) != 0)
        settings.measured_copy = layout::event_log;
    settings.until_payload = options.until_payload;
    settings.delivers_exceptions = options.delivers_exceptions;
    settings.watches_payload = options.watches_payload;
    settings.qtest_socket = scratch.file(qtest_name);
    settings.quote_socket =
        options.quote_socket.empty() ? scratch.file(quotes_name) : options.quote_socket;
    settings.result_file = scratch.file("result.json");
    settings.is_our_firmware = image.is_ours;
    settings.wants_statistics = options.statistics;
    settings.trace_file = options.trace_file;
    if (image.is_ours && (!options.ccel_file.empty() || options.statistics))
        settings.ccel_file = scratch.file("ccel");
    if (image.is_ours && !options.ccel_file.empty())
        settings.payload_ccel_file = scratch.file("payload-ccel");
    return settings;
}

/// The stub with what it wants to know.
Outcome<> write_stub(const Settings& settings, Gpa td_hob, const std::string& file) {
    const std::string source = neighbour("td-emu-stub.bin");
    std::vector<std::byte> stub = TRY(tools::read_file(source));
    if (stub.size() < stub_settings_offset + 3 * sizeof(le32))
        return std::unexpected(failure(source, "not the stub that belongs to this td-emu"));
    const std::array<le32, 3> numbers{settings.started_vcpus(), settings.configuration.gpa_width,
                                      static_cast<std::uint32_t>(td_hob.value)};
    std::ranges::copy(std::as_bytes(std::span(numbers)), stub.begin() + stub_settings_offset);
    return tools::write_file(file, stub);
}

/// A comma ends a value on QEMU's command line unless it stands twice.
std::string quoted(std::string text) {
    for (std::size_t at = 0; (at = text.find(',', at)) != std::string::npos; at += 2)
        text.insert(at, 1, ',');
    return text;
}

/// QEMU's device that puts a file into memory before the machine runs.
std::vector<std::string> loader(const std::string& file, Gpa place) {
    return {"-device",
            std::format("loader,file={},addr={:#x},force-raw=on", quoted(file), place.value)};
}

/// The loaders of what the VMM brings.
std::vector<std::string> loaders(const Image& image, const vmm::Brought& brought,
                                 const Scratch& scratch) {
    std::vector<std::string> words = loader(scratch.file("stub.bin"), {stub_address});
    if (!brought.hob.empty())
        words.append_range(loader(scratch.file("hob.bin"), brought.hob_place.start()));
    for (const vmm::SectionContent& content : brought.placement.sections)
        words.append_range(loader(scratch.file(std::string(tdvf::name_of(content.type))),
                                  image.metadata.find(content.type)->memory.start()));
    return words;
}

/// By the keys of fw_cfg that QEMU itself has for them, where firmware of another make looks.
std::vector<std::string> qemu_words_for_linux(const Options& options) {
    std::vector<std::string> words;
    const auto add = [&](const char* word, const std::string& value) {
        if (!value.empty())
            words.insert(words.end(), {word, value});
    };
    add("-kernel", options.kernel);
    add("-initrd", options.initrd);
    add("-append", options.command_line);
    return words;
}

/// With the address bits of many hosts; where the shared bit is an address bit it has to be among
/// them, or an access is a page fault. CPUID offers what XFAM gives, as the module sees to, of what
/// QEMU emulates: of the parts that can be absent that is AVX.
std::string processor_model(unsigned gpa_width, std::uint64_t xfam) {
    constexpr std::uint64_t xfam_avx = 1 << 2;
    return std::format("max,min-level=0x21,vendor=GenuineIntel,phys-bits={}{}",
                       gpa_width == widest_gpa ? 46 : gpa_width,
                       (xfam & xfam_avx) == 0 ? ",-avx,-avx2" : "");
}

std::vector<std::string> qemu_command(const Options& options, const Settings& settings,
                                      const Scratch& scratch, const Image& image,
                                      const vmm::Brought& brought, const EndWatch& end_watch) {
    std::vector<std::string> command{options.qemu,
                                     "-nodefaults",
                                     "-no-user-config",
                                     "-no-reboot",
                                     "-display",
                                     "none",
                                     "-machine",
                                     "q35",
                                     "-accel",
                                     "tcg,thread=multi",
                                     "-cpu",
                                     processor_model(options.gpa_width, options.identity.xfam),
                                     "-smp",
                                     std::to_string(options.vcpus),
                                     "-bios",
                                     options.firmware,
                                     "-serial",
                                     "stdio",
                                     "-plugin",
                                     "file=" + quoted(neighbour("libtd-emu-plugin.so")) +
                                         ",settings=" + quoted(scratch.file("settings.json")),
                                     "-chardev",
                                     "socket,id=qtest,server=on,wait=off,path=" +
                                         quoted(settings.qtest_socket),
                                     "-qtest",
                                     "chardev:qtest",
                                     "-qtest-log",
                                     "/dev/null"};
    command.append_range(end_watch.qemu_words());
    command.append_range(vmm::memory_words(options.memory, options.more));
    command.append_range(loaders(image, brought, scratch));
    const auto add_item = [&](const char* name, const std::string& file) {
        if (!file.empty())
            command.insert(command.end(), {"-fw_cfg", std::format("name=opt/org.tdshim/{},file={}",
                                                                  name, quoted(file))});
    };
    if (!image.is_ours && !vmm::is_filled_by_vmm(image.metadata)) {
        command.append_range(qemu_words_for_linux(options));
    } else if (!vmm::is_filled_by_vmm(image.metadata)) {
        add_item("kernel", options.kernel);
        add_item("initrd", options.initrd);
        if (!options.command_line.empty())
            add_item("cmdline", scratch.file("cmdline"));
    }
    command.append_range(defaults_of_td_devices());
    command.append_range(options.more);
    return command;
}

/// The plugin makes the file when it is loaded: without it QEMU took none.
Outcome<nlohmann::ordered_json> read_result(const std::string& file, const std::string& qemu,
                                            int exit_code) {
    std::ifstream input(file);
    const bool was_loaded = input.is_open();
    auto json = nlohmann::ordered_json::parse(input, nullptr, false);
    if (exit_code == 128 + SIGKILL)
        return std::unexpected(failure(qemu, "was killed, and left no result"));
    if (exit_code != 0)
        return std::unexpected(failure(
            qemu, std::format("ended with exit code {}; its own message says why{}", exit_code,
                              was_loaded ? ""
                                         : ". td-emu needs QEMU 11 or later with plugins "
                                           "(launch/fetch-qemu.sh, where tdshim is installed "
                                           "tdshim-fetch-qemu, brings one)")));
    if (json.is_discarded())
        return std::unexpected(failure(qemu, "ended without a result"));
    return json;
}

Outcome<> write_inputs(const Options& options, const vmm::Brought& brought,
                       const Settings& settings, const Scratch& scratch) {
    if (!options.trace_file.empty()) // the plugin writes it; what is wrong with it is told now
        TRY(tools::make_file(options.trace_file));
    TRY(tools::write_file(scratch.file("hob.bin"), brought.hob));
    for (const vmm::SectionContent& content : brought.placement.sections)
        TRY(tools::write_file(scratch.file(std::string(tdvf::name_of(content.type))),
                              content.bytes));
    TRY(tools::write_file(scratch.file("cmdline"), bytes_of(options.command_line)));
    TRY(write_stub(settings, brought.hob_place.start(), scratch.file("stub.bin")));
    if (!write_settings(settings, scratch.file("settings.json")))
        return std::unexpected(failure(scratch.file("settings.json"), "cannot write"));
    return {};
}

/// Whether `log` is how the RTMRs of the TDREPORT in `result` came about.
bool leads_to_report(Bytes log, const nlohmann::ordered_json& result) {
    const auto bytes = tools::bytes_of_hex(result.at("report").get<std::string>());
    const auto report = read_at<tdx::Report>(bytes.value_or(std::vector<std::byte>{}), 0);
    const auto decoded = tools::decode_log(log);
    if (!report || !decoded || decoded->error)
        return false;
    for (std::uint32_t i = 0; i < measure::rtmr_count; ++i)
        if (report->td_info.rtmr[i] != decoded->registers.value(i))
            return false;
    return true;
}

/// Writes --ccel: the log with the payload's own events where there are any and they explain the
/// registers, else `log`, as the payload began.
Outcome<> write_ccel(const Options& options, const Settings& settings, Bytes log,
                     nlohmann::ordered_json& result) {
    if (std::error_code ignored; !fs::exists(settings.payload_ccel_file, ignored))
        return tools::write_file(options.ccel_file, log);
    const auto later = TRY(tools::read_file(settings.payload_ccel_file));
    const bool is_whole = leads_to_report(later, result);
    result["ccel_is_whole"] = is_whole;
    return tools::write_file(options.ccel_file, is_whole ? Bytes(later) : log);
}

Outcome<quoting::Platform> quoting_platform(const Options& options) {
    return options.quote_keys.empty()
               ? quoting::Platform::make(options.quote_names)
               : quoting::Platform::open(options.quote_keys, options.quote_names);
}

Outcome<vmm::Brought> bring(const Options& options, const Image& image) {
    vmm::Launch launch{.image_file = options.firmware,
                       .image = image.bytes,
                       .metadata = &image.metadata,
                       .ram = vmm::ram_of(vmm::Kind::qemu, options.memory),
                       .files = {},
                       .payload_form = options.payload_form,
                       .config_files = [&] {
                           return vmm::config_files_of_qemu({.qemu = options.qemu,
                                                             .memory = options.memory,
                                                             .cpus = options.vcpus,
                                                             .more = options.more});
                       }};
    if (vmm::is_filled_by_vmm(image.metadata)) {
        if (!options.kernel.empty())
            launch.files.kernel = TRY(tools::read_file(options.kernel));
        if (!options.initrd.empty())
            launch.files.initrd = TRY(tools::read_file(options.initrd));
        launch.files.command_line = options.command_line;
        launch.files.raw_entry = options.payload_entry;
    }
    return vmm::bring(launch);
}

} // namespace

Outcome<nlohmann::ordered_json> run_td(const Options& options) {
    const Image image = TRY(read_image(options.firmware));
    TRY(check_memory(options, image));
    for (const std::string& file : {options.kernel, options.initrd}) // which QEMU reads
        tools::note_input(file);
    for (const std::string& file : {options.report_file, options.ccel_file})
        if (!file.empty())
            TRY(tools::check_output(file));
    if (const std::string device = undone_default(options.more); !device.empty())
        std::cerr << "td-emu: note: " << device
                  << ": Linux in a TD refuses a virtio device without iommu_platform=on and "
                     "disable-legacy=on\n";
    const Scratch scratch(TRY(scratch_folder()));
    if (options.payload_entry && !vmm::is_filled_by_vmm(image.metadata))
        return std::unexpected(failure("--payload-entry", options.firmware +
                                                              " has no Payload section that the "
                                                              "VMM fills"));
    if (!options.ccel_file.empty() && !image.is_ours)
        return std::unexpected(failure(
            "--ccel", "td-emu knows where tdshim has its event log, and " + options.firmware +
                          " is of another make: let the guest read "
                          "/sys/firmware/acpi/tables/data/CCEL"));
    const ChosenFault fault = TRY(choose_fault(options.fault));
    vmm::Brought brought = TRY(bring(options, image));
    const Settings settings = TRY(settings_for(options, fault, image, brought, scratch));
    TRY(spoil_hob(brought.hob, fault, options.fault, brought.hob_place.size()));
    TRY(write_inputs(options, brought, settings, scratch));
    auto platform = TRY(quoting_platform(options));
    const auto quote_service =
        TRY(QuoteService::open(settings.quote_socket, std::move(platform), options.quote_version));
    const Console console(TRY(open_console(options)));
    // Who wants the machine to stand still at first, for a debugger, starts it too.
    const auto end_watch = TRY(EndWatch::open(!std::ranges::contains(options.more, "-S")));
    const int exit_code = TRY(run_command(
        qemu_command(options, settings, scratch, image, brought, end_watch), console.descriptor()));
    nlohmann::ordered_json result = TRY(read_result(settings.result_file, options.qemu, exit_code));
    judge_end(result, shutdown_reason(end_watch.take_messages()));
    if (!settings.ccel_file.empty()) {
        const auto log = TRY(tools::read_file(settings.ccel_file));
        if (options.statistics)
            add_hashed_bytes(result, log);
        if (!options.ccel_file.empty())
            TRY(write_ccel(options, settings, log, result));
    }
    result["mrtd"] = tools::hex(settings.configuration.td_info.mrtd);
    return result;
}

} // namespace tdshim::td_emu
