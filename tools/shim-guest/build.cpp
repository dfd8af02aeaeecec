// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cstdlib>
#include <filesystem>
#include <format>
#include <iostream>
#include <optional>
#include <unistd.h>

#include "payload/runtime/event_log.hpp"
#include "tools/common/files.hpp"
#include "tools/common/inputs.hpp"
#include "tools/common/json_output.hpp"
#include "tools/common/text.hpp"
#include "tools/shim-bundle/bundle_file.hpp"
#include "tools/shim-guest/commands.hpp"
#include "tools/shim-guest/initramfs.hpp"
#include "tools/shim-guest/oci.hpp"
#include "tools/shim-guest/program.hpp"
#include "tools/shim-guest/tree.hpp"
#include "tools/shim-guest/verity_tree.hpp"
#include "tools/shim-guest/workplace.hpp"

namespace tdshim::tools {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

std::string program_beside(const char* name) {
    std::error_code ignored;
    return (fs::read_symlink("/proc/self/exe", ignored).parent_path() / name).string();
}

/// A squashfs of the source, for which nobody has to be root.
Outcome<Tree> write_disk(const BuildOptions& options, const std::optional<OciImage>& image,
                         const std::string& disk) {
    auto packer = TRY(Program::start(
        {"tar2sqfs", "--quiet", "--no-skip", "--compressor", "zstd", disk}, "squashfs-tools-ng"));
    auto tree = image ? write_layers(options.oci, image->layers,
                                     {std::string(guest::process_file.substr(1)),
                                      guest::text_of(image->process)},
                                     packer.input().number())
                      : write_tree(options.root, packer.input().number());
    const auto finished = packer.finish();
    if (!tree)
        return tree;
    TRY(finished);
    return tree;
}

/// Of an archive the blobs are unpacked, for as long as `place` is.
Outcome<OciImage> open_image(const BuildOptions& options, const Workplace& place) {
    std::error_code error;
    const std::string scratch = place.file("oci");
    fs::create_directory(scratch, error);
    return open_oci(options.oci, scratch);
}

Outcome<> check_init(const BuildOptions& options, const Tree& tree) {
    const auto init = follow(tree, options.wanted.init);
    const auto file = tree.find(init.value_or(""));
    if (!init || file == tree.end() || file->second.kind == FileKind::folder ||
        (file->second.mode & 0111) == 0)
        return std::unexpected(failure(
            options.root, std::format("has no program {}, which stage 1 is to start: --init names "
                                      "another",
                                      options.wanted.init)));
    return {};
}

const char* name_of(FileKind kind) {
    switch (kind) {
    case FileKind::regular: return "file";
    case FileKind::folder: return "folder";
    case FileKind::symlink: return "symlink";
    case FileKind::hard_link: return "hard-link";
    }
    return "";
}

/// A name as JSON can have it: of bytes that are no text each as \xff.
std::string name_of(const std::string& path) {
    const bool is_text = std::mbstowcs(nullptr, path.c_str(), 0) != static_cast<std::size_t>(-1);
    return is_text ? path : printable(path);
}

ordered_json json_of(const Tree& tree) {
    ordered_json files = ordered_json::array();
    for (const auto& [path, file] : tree) {
        ordered_json json{{"path", "/" + name_of(path)},
                          {"kind", name_of(file.kind)},
                          {"mode", std::format("{:04o}", file.mode)}};
        if (file.kind == FileKind::regular)
            json.update({{"size", file.size}, {"sha384", hex(Bytes(file.digest))}});
        if (!file.target.empty())
            json["target"] = name_of(file.target);
        files.push_back(std::move(json));
    }
    return files;
}

/// The register that an event of `text` was the first to extend.
crypto::Digest extended_once(const std::string& text) {
    const crypto::Digest event = runtime::digest_of_event(std::as_bytes(std::span(text)));
    return crypto::sha384(crypto::Digest{}, event);
}

ordered_json json_of(const guest::Root& root) {
    return {{"root_hash", hex(Bytes(root.verity.root_hash))},
            {"salt", hex(Bytes(root.verity.salt))},
            {"data_blocks", root.verity.data_blocks},
            {"storage", guest::word_of(root.storage)},
            {"init", root.init},
            {"check", root.checks_all ? "all" : "used"},
            {"wait", root.wait_seconds},
            {"rtmr2", root.extends_rtmr2
                          ? ordered_json(hex(Bytes(extended_once(guest::measured_text(root)))))
                          : ordered_json()}};
}

Outcome<> write_initrd(const BuildOptions& options, const std::string& file) {
    const std::string program = options.stage1.empty() ? program_beside("stage1") : options.stage1;
    const auto stage1 = TRY(read_file(program));
    const auto modules =
        TRY(modules_of_stage1(options.modules, options.wanted.storage != guest::Storage::none));
    return write_file(file, TRY(initramfs_of(stage1, modules)));
}

/// By shim-sign, which knows keys.
Outcome<> sign_bundle(const BuildOptions& options, const Workplace& place) {
    std::error_code error;
    std::vector<std::string> words{program_beside("shim-sign"),
                                   "unsigned",
                                   "--key",
                                   fs::absolute(options.key, error).string(),
                                   "--svn",
                                   std::to_string(options.svn),
                                   "-o",
                                   "guest.bundle"};
    if (!options.passphrase_file.empty())
        words.append_range(std::array<std::string, 2>{
            "--passphrase-file", fs::absolute(options.passphrase_file, error).string()});
    TRY(run_program(words, place.folder(), "said"));
    fs::remove(place.file("said"), error);
    fs::remove(place.file("unsigned"), error);
    return {};
}

Outcome<> write_bundle(const BuildOptions& options, const std::string& words,
                       const Workplace& place) {
    const BundleInputs inputs{.kernel = options.kernel,
                              .initrd = place.file("initrd"),
                              .append =
                                  options.append.empty() ? words : options.append + " " + words,
                              .append_file = {},
                              .events = {},
                              .title = {}};
    const std::string unsigned_file = options.key.empty() ? "guest.bundle" : "unsigned";
    const auto file = TRY(bundle_of(inputs));
    TRY(write_file(place.file(unsigned_file.c_str()), file));
    return options.key.empty() ? Outcome<>{} : sign_bundle(options, place);
}

/// What shim-measure says of a launch with the disk, and RTMR[2] where stage 1 extends it.
Outcome<> write_prediction(const BuildOptions& options, const guest::Root& root,
                           const Workplace& place) {
    std::error_code error;
    const std::string firmware = fs::absolute(options.firmware, error).string();
    std::vector<std::string> words{program_beside("shim-measure"),
                                   firmware,
                                   "--kernel",
                                   "guest.bundle",
                                   "--memory",
                                   std::to_string(options.memory),
                                   "--cpus",
                                   std::to_string(options.cpus),
                                   "--format",
                                   "policy"};
    if (!options.qemu.empty())
        words.append_range(std::array<std::string, 2>{"--qemu", options.qemu});
    words.append_range(std::array<std::string, 3>{
        "--", "-drive", "file=disk.img,format=raw,if=virtio,readonly=on"});
    const std::string said = place.file("said");
    TRY(run_program(words, place.folder(), "said"));
    const auto bytes = TRY(read_file(said));
    fs::remove(said, error);
    auto policy = ordered_json::parse(reinterpret_cast<const char*>(bytes.data()),
                                      reinterpret_cast<const char*>(bytes.data()) + bytes.size());
    if (root.extends_rtmr2)
        policy["rtmr2"] = hex(Bytes(extended_once(guest::measured_text(root))));
    const std::string text = policy.dump(2) + "\n";
    return write_file(place.file("boot.json"), std::as_bytes(std::span(text)));
}

/// That a command line is none that says something of the root file system already.
Outcome<> check_append(const std::string& append) {
    guest::Root any;
    any.verity.data_blocks = 1;
    const auto found = guest::root_of(append + " " + guest::words_of(any));
    if (!found)
        return std::unexpected(failure("--append", found.error()));
    return {};
}

/// For somebody who waits at a terminal.
void say(const std::string& step) {
    if (::isatty(STDERR_FILENO) == 1)
        std::cerr << "shim-guest: " << step << '\n';
}

} // namespace

Outcome<ExitCode> build(const BuildOptions& options) {
    TRY(check_append(options.append));
    if (options.key.empty() && (options.svn != 0 || !options.passphrase_file.empty()))
        return std::unexpected(Failure{"--svn and --passphrase-file go with a --key"});
    if (options.root.empty() == options.oci.empty())
        return std::unexpected(Failure{"give a root file system: --root or --oci"});
    for (const std::string& input : {options.root, options.oci, options.kernel, options.key})
        note_input(input);
    Workplace place = TRY(Workplace::make(options.output));
    say("packing " + options.root + options.oci);
    std::optional<OciImage> image;
    if (!options.oci.empty())
        image = TRY(open_image(options, place));
    const Tree tree = TRY(write_disk(options, image, place.file("disk.img")));
    if (!image)
        TRY(check_init(options, tree));
    say("making the tree of dm-verity");
    guest::Root root = options.wanted;
    if (image)
        root.init = guest::process_file;
    root.verity = TRY(append_tree(place.file("disk.img")));
    TRY(write_initrd(options, place.file("initrd")));
    TRY(write_bundle(options, guest::words_of(root), place));
    if (!options.firmware.empty())
        TRY(write_prediction(options, root, place));
    ordered_json json = json_of(root);
    json["oci"] = image ? ordered_json(image->digest) : ordered_json();
    ordered_json manifest = json;
    manifest["files"] = json_of(tree);
    const std::string text = manifest.dump(1) + "\n";
    TRY(write_file(place.file("manifest.json"), std::as_bytes(std::span(text))));
    std::error_code ignored;
    fs::remove_all(place.file("oci"), ignored);
    TRY(place.become_output());
    json["folder"] = options.output;
    json["command_line"] = guest::words_of(root);
    if (options.json)
        print_json("shim-guest-build/1", json);
    else
        std::cout << std::format("{}: disk.img, guest.bundle, initrd, manifest.json\n  root hash "
                                 "{}\n  of {} blocks of 4096 bytes, storage {}\n",
                                 options.output, hex(Bytes(root.verity.root_hash)),
                                 root.verity.data_blocks, guest::word_of(root.storage));
    return ExitCode::good;
}

} // namespace tdshim::tools
