// SPDX-License-Identifier: Apache-2.0
#include "tools/shim-guest/initramfs.hpp"

#include <format>

#include "tools/shim-guest/archive.hpp"

namespace tdshim::tools {
namespace {

constexpr const char* what = "stage 1's initramfs";

la_ssize_t append(archive*, void* file, const void* bytes, std::size_t size) {
    const auto* const begin = static_cast<const std::byte*>(bytes);
    static_cast<std::vector<std::byte>*>(file)->append_range(Bytes(begin, size));
    return static_cast<la_ssize_t>(size);
}

class Writer {
  public:
    /// Fills `file`, which outlives it.
    explicit Writer(std::vector<std::byte>& file) {
        ::archive_write_set_format_cpio_newc(writer_.get());
        ::archive_write_add_filter_gzip(writer_.get());
        ::archive_write_set_filter_option(writer_.get(), "gzip", "compression-level", "9");
        ::archive_write_set_filter_option(writer_.get(), "gzip", "timestamp", nullptr);
        ::archive_write_open(writer_.get(), &file, nullptr, append, nullptr);
    }

    Outcome<> add(const std::string& path, unsigned mode, Bytes content) {
        const ArchiveEntry entry = entry_of(path, mode);
        ::archive_entry_set_size(entry.get(), static_cast<la_int64_t>(content.size()));
        TRY(check_archive(what, writer_.get(), ::archive_write_header(writer_.get(), entry.get())));
        if (::archive_write_data(writer_.get(), content.data(), content.size()) < 0)
            return std::unexpected(archive_failure(what, writer_.get()));
        return {};
    }

    /// What the kernel opens for init before there is a /dev of its own.
    Outcome<> add_console() {
        const ArchiveEntry entry = entry_of("dev/console", AE_IFCHR | 0600U);
        ::archive_entry_set_rdevmajor(entry.get(), 5);
        ::archive_entry_set_rdevminor(entry.get(), 1);
        return check_archive(what, writer_.get(),
                             ::archive_write_header(writer_.get(), entry.get()));
    }

    Outcome<> close() {
        return check_archive(what, writer_.get(), ::archive_write_close(writer_.get()));
    }

  private:
    ArchiveEntry entry_of(const std::string& path, unsigned mode) {
        ArchiveEntry entry(::archive_entry_new());
        ::archive_entry_set_pathname(entry.get(), path.c_str());
        ::archive_entry_set_mode(entry.get(), mode);
        ::archive_entry_set_mtime(entry.get(), 0, 0);
        ::archive_entry_set_ino64(entry.get(), ++inode_);
        ::archive_entry_set_nlink(entry.get(), 1);
        ::archive_entry_set_size(entry.get(), 0);
        return entry;
    }

    ArchiveWriter writer_{::archive_write_new()};
    la_int64_t inode_ = 0;
};

} // namespace

Outcome<std::vector<std::byte>> initramfs_of(Bytes stage1,
                                             const std::vector<KernelModule>& modules) {
    std::vector<std::byte> file;
    Writer writer(file);
    TRY(writer.add("dev", AE_IFDIR | 0755U, {}));
    TRY(writer.add_console());
    TRY(writer.add("init", AE_IFREG | 0755U, stage1));
    TRY(writer.add("modules", AE_IFDIR | 0755U, {}));
    for (std::size_t i = 0; i < modules.size(); ++i)
        TRY(writer.add(std::format("modules/{:02}-{}.ko", i, modules[i].name), AE_IFREG | 0644U,
                       modules[i].content));
    TRY(writer.close());
    return file;
}

} // namespace tdshim::tools
