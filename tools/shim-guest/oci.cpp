// SPDX-License-Identifier: Apache-2.0
#include "tools/shim-guest/oci.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <fcntl.h>
#include <filesystem>
#include <format>
#include <openssl/evp.h>

#include "tools/common/descriptor.hpp"
#include "tools/common/files.hpp"
#include "tools/common/json_input.hpp"
#include "tools/common/openssl.hpp"
#include "tools/common/text.hpp"
#include "tools/shim-guest/archive.hpp"

namespace tdshim::tools {
namespace {

namespace fs = std::filesystem;
using guest::Process;
using nlohmann::ordered_json;

constexpr std::uint64_t max_document_size = std::uint64_t{4} << 20;
constexpr std::size_t piece_size = std::size_t{1} << 20;
constexpr std::string_view sha256_name = "sha256:";

bool is_digest(std::string_view text) {
    return text.starts_with(sha256_name) && text.size() == sha256_name.size() + 64 &&
           bytes_of_hex(text.substr(sha256_name.size())).has_value() &&
           std::ranges::none_of(text, [](char c) { return c >= 'A' && c <= 'F'; });
}

Outcome<std::string> sha256_of(const std::string& file) {
    const Descriptor input(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!input.is_open())
        return std::unexpected(system_failure(file, "cannot open", errno));
    const openssl::Handle<EVP_MD_CTX, &EVP_MD_CTX_free> context(EVP_MD_CTX_new());
    bool is_good = context && EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) == 1;
    std::vector<std::byte> piece(piece_size);
    while (const std::size_t count = TRY(read_piece(file, input, piece)))
        is_good = is_good && EVP_DigestUpdate(context.get(), piece.data(), count) == 1;
    std::array<std::byte, 32> digest{};
    if (!is_good ||
        EVP_DigestFinal_ex(context.get(), openssl::characters(MutableBytes(digest)), nullptr) != 1)
        return std::unexpected(failure(file, "libcrypto cannot hash it"));
    return std::string(sha256_name) + hex(Bytes(digest));
}

/// A text of an object's, empty where there is none: what is needed is looked at by its content.
std::string text_in(const ordered_json& object, const char* name) {
    const auto member = object.is_object() ? object.find(name) : object.end();
    return member != object.end() && member->is_string() ? member->get<std::string>()
                                                         : std::string();
}

/// A list of an object's, empty likewise.
ordered_json list_in(const ordered_json& object, const char* name) {
    const auto member = object.is_object() ? object.find(name) : object.end();
    return member != object.end() && member->is_array() ? *member : ordered_json::array();
}

/// An image's files, and what messages call it.
class Layout {
  public:
    Layout(std::string name, fs::path folder)
        : name_(std::move(name)), folder_(std::move(folder)) {}

    [[nodiscard]] Failure bad(const std::string& text) const { return failure(name_, text); }

    Outcome<ordered_json> document(const std::string& file) const {
        const auto bytes = TRY(read_file((folder_ / file).string(), max_document_size));
        return parse_json(name_ + ": " + file, bytes);
    }

    /// The file of a blob that is what its descriptor says.
    Outcome<std::string> blob(const ordered_json& descriptor) const {
        const std::string digest = text_in(descriptor, "digest");
        if (!is_digest(digest))
            return std::unexpected(
                bad(std::format("a blob's digest: expected sha256: and 64 digits, found \"{}\"",
                                printable(digest))));
        const std::string file =
            (folder_ / "blobs" / "sha256" / digest.substr(sha256_name.size())).string();
        const std::string found = TRY(sha256_of(file));
        if (found != digest)
            return std::unexpected(
                bad(std::format("blob {}: what is there has {}", digest, found)));
        return file;
    }

    Outcome<ordered_json> document_of(const ordered_json& descriptor) const {
        const std::string file = TRY(blob(descriptor));
        const auto bytes = TRY(read_file(file, max_document_size));
        return parse_json(file, bytes);
    }

  private:
    std::string name_;
    fs::path folder_;
};

/// What stage 1 reads is a line for each part.
bool is_line(const std::string& text) {
    return text.find_first_of(std::string("\n\0", 2)) == std::string::npos;
}

/// The entries of a list, none where it is null or not there.
Outcome<std::vector<std::string>> texts(const Layout& layout, const ordered_json& object,
                                        const char* name) {
    std::vector<std::string> list;
    for (const ordered_json& entry : list_in(object, name)) {
        if (!entry.is_string() || !is_line(entry))
            return std::unexpected(
                layout.bad(std::format("{} of its configuration: expected lines of text", name)));
        list.push_back(entry);
    }
    return list;
}

/// "1000:1000", "1000" or nothing.
Outcome<> set_user(const Layout& layout, const std::string& text, Process& process) {
    const std::size_t colon = std::min(text.find(':'), text.size());
    const auto number = [](std::string_view digits, std::uint32_t& value) {
        const auto [end, error] = std::from_chars(digits.begin(), digits.end(), value);
        return error == std::errc() && end == digits.end();
    };
    const std::string_view whole = text;
    const std::string_view group = whole.substr(std::min(colon + 1, whole.size()));
    if (text.empty() || text == "root")
        return {};
    if (!number(whole.substr(0, colon), process.user) ||
        (!group.empty() && !number(group, process.group)))
        return std::unexpected(layout.bad(std::format(
            "User of its configuration: expected numbers, such as 1000:1000, found \"{}\"",
            printable(text))));
    return {};
}

Outcome<Process> process_of(const Layout& layout, const ordered_json& configuration) {
    if (text_in(configuration, "os") != "linux" ||
        text_in(configuration, "architecture") != "amd64")
        return std::unexpected(layout.bad("is not for linux/amd64"));
    const ordered_json config = configuration.value("config", ordered_json());
    Process process;
    process.arguments = TRY(texts(layout, config, "Entrypoint"));
    process.arguments.append_range(TRY(texts(layout, config, "Cmd")));
    process.environment = TRY(texts(layout, config, "Env"));
    process.folder = text_in(config, "WorkingDir");
    if (process.folder.empty())
        process.folder = "/";
    if (!is_line(process.folder))
        return std::unexpected(layout.bad("WorkingDir of its configuration is no line of text"));
    TRY(set_user(layout, text_in(config, "User"), process));
    if (process.arguments.empty())
        return std::unexpected(layout.bad("names no program: neither Entrypoint nor Cmd"));
    return process;
}

/// The one descriptor of index.json; a list of platforms is followed where it has one.
Outcome<ordered_json> only_manifest(const Layout& layout, const ordered_json& index) {
    const ordered_json manifests = list_in(index, "manifests");
    const std::size_t count = manifests.size();
    if (count != 1)
        return std::unexpected(layout.bad(std::format(
            "expected one image, found {}: copy the one of linux/amd64 (skopeo copy)", count)));
    return manifests.at(0);
}

Outcome<OciImage> read_layout(const Layout& layout) {
    const ordered_json index = TRY(layout.document("index.json"));
    ordered_json descriptor = TRY(only_manifest(layout, index));
    ordered_json manifest = TRY(layout.document_of(descriptor));
    if (manifest.contains("manifests")) {
        descriptor = TRY(only_manifest(layout, manifest));
        manifest = TRY(layout.document_of(descriptor));
    }
    if (!manifest.contains("config") || list_in(manifest, "layers").empty())
        return std::unexpected(layout.bad("its manifest has no config or no layers"));
    const ordered_json configuration = TRY(layout.document_of(manifest.at("config")));
    OciImage image{.digest = text_in(descriptor, "digest"),
                   .layers = {},
                   .process = TRY(process_of(layout, configuration))};
    for (const ordered_json& layer : manifest.at("layers"))
        image.layers.push_back(TRY(layout.blob(layer)));
    return image;
}

/// A name that belongs to a layout; no other is unpacked.
bool is_of_layout(const fs::path& path) {
    const std::string text = path.lexically_normal().string();
    constexpr std::string_view blobs = "blobs/sha256/";
    return text == "index.json" || text == "oci-layout" ||
           (text.starts_with(blobs) &&
            is_digest(std::string(sha256_name) + text.substr(blobs.size())));
}

Outcome<> unpack(const std::string& archive_file, const fs::path& folder) {
    const ArchiveReader reader(::archive_read_new());
    ::archive_read_support_filter_all(reader.get());
    ::archive_read_support_format_tar(reader.get());
    TRY(check_archive(
        archive_file, reader.get(),
        ::archive_read_open_filename(reader.get(), archive_file.c_str(), piece_size)));
    std::error_code error;
    fs::create_directories(folder / "blobs" / "sha256", error);
    for (;;) {
        archive_entry* entry = nullptr;
        const int result = ::archive_read_next_header(reader.get(), &entry);
        if (result == ARCHIVE_EOF)
            return {};
        TRY(check_archive(archive_file, reader.get(), result));
        const fs::path path = fs::path(::archive_entry_pathname(entry)).lexically_normal();
        if (::archive_entry_filetype(entry) != AE_IFREG || !is_of_layout(path))
            continue;
        const std::string file = (folder / path).string();
        const Descriptor output(
            ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
        if (!output.is_open())
            return std::unexpected(system_failure(file, "cannot be made", errno));
        TRY(check_archive(archive_file, reader.get(),
                          ::archive_read_data_into_fd(reader.get(), output.number())));
    }
}

} // namespace

Outcome<OciImage> open_oci(const std::string& source, const std::string& scratch) {
    std::error_code error;
    if (fs::is_directory(source, error))
        return read_layout(Layout(source, source));
    TRY(unpack(source, scratch));
    return read_layout(Layout(source, scratch));
}

} // namespace tdshim::tools
