// SPDX-License-Identifier: Apache-2.0
#include "tools/shim-guest/verity_tree.hpp"

#include <filesystem>
#include <format>
#include <libcryptsetup.h>
#include <memory>

namespace tdshim::tools {
namespace {

constexpr std::uint32_t block_size = guest::Verity::block_size;

struct FreeDevice {
    void operator()(crypt_device* device) const { ::crypt_free(device); }
};
using Device = std::unique_ptr<crypt_device, FreeDevice>;

/// A disk as libcryptsetup has it.
class Volume {
  public:
    explicit Volume(std::string disk) : disk_(std::move(disk)) {
        // Of the whole library: crypt_init() has no device yet to say something of.
        ::crypt_set_log_callback(nullptr, keep_error, &said_);
        crypt_device* device = nullptr;
        opened_ = ::crypt_init(&device, disk_.c_str());
        device_.reset(device);
    }
    ~Volume() { ::crypt_set_log_callback(nullptr, nullptr, nullptr); }
    Volume(const Volume&) = delete;
    Volume& operator=(const Volume&) = delete;

    /// Runs `step` if all before went well: libcryptsetup's functions return errors below 0.
    template <class Step>
    Outcome<> run(const Step& step) {
        const int result = opened_ < 0 ? opened_ : step(device_.get());
        if (result >= 0)
            return {};
        return std::unexpected(said_.empty() ? system_failure(disk_, "libcryptsetup", -result)
                                             : failure(disk_, said_));
    }

  private:
    static void keep_error(int level, const char* text, void* said) {
        auto& kept = *static_cast<std::string*>(said);
        if (level == CRYPT_LOG_ERROR)
            kept = text;
        while (!kept.empty() && (kept.back() == '\n' || kept.back() == '.'))
            kept.pop_back();
    }

    std::string disk_;
    std::string said_;
    Device device_;
    int opened_ = 0;
};

crypt_params_verity parameters_of(const std::string& disk, const guest::Verity& verity,
                                  std::uint32_t flags) {
    crypt_params_verity parameters{};
    parameters.hash_name = "sha256";
    parameters.data_device = disk.c_str();
    parameters.salt = reinterpret_cast<const char*>(verity.salt.data());
    parameters.salt_size = static_cast<std::uint32_t>(verity.salt.size());
    parameters.hash_type = 1;
    parameters.data_block_size = block_size;
    parameters.hash_block_size = block_size;
    parameters.data_size = verity.data_blocks;
    parameters.hash_area_offset = verity.data_blocks * block_size;
    parameters.flags = CRYPT_VERITY_NO_HEADER | flags;
    return parameters;
}

int format(crypt_device* device, crypt_params_verity parameters) {
    return ::crypt_format(device, CRYPT_VERITY, nullptr, nullptr, nullptr, nullptr, 0, &parameters);
}

} // namespace

Outcome<guest::Verity> append_tree(const std::string& disk) {
    guest::Verity verity;
    std::error_code error;
    const std::uintmax_t size = std::filesystem::file_size(disk, error);
    if (error || size == 0 || size % block_size != 0)
        return std::unexpected(failure(disk, "is no file of whole blocks of 4096 bytes"));
    verity.data_blocks = size / block_size;
    std::filesystem::resize_file(disk, size + guest::tree_blocks(verity.data_blocks) * block_size,
                                 error);
    if (error)
        return std::unexpected(failure(disk, error.message()));
    Volume volume(disk);
    TRY(volume.run([&](crypt_device* device) {
        return format(device, parameters_of(disk, verity, CRYPT_VERITY_CREATE_HASH));
    }));
    TRY(volume.run([&](crypt_device* device) {
        std::size_t size = verity.root_hash.size();
        return ::crypt_volume_key_get(device, CRYPT_ANY_SLOT,
                                      reinterpret_cast<char*>(verity.root_hash.data()), &size,
                                      nullptr, 0);
    }));
    return verity;
}

Outcome<> check_tree(const std::string& disk, const guest::Verity& verity) {
    std::error_code error;
    const std::uintmax_t size = std::filesystem::file_size(disk, error);
    const std::uint64_t wanted =
        (verity.data_blocks + guest::tree_blocks(verity.data_blocks)) * block_size;
    if (error || size < wanted)
        return std::unexpected(
            failure(disk, std::format("expected {} bytes, data and tree, found {}", wanted,
                                      error ? 0 : size)));
    Volume volume(disk);
    TRY(volume.run([&](crypt_device* device) {
        return format(device, parameters_of(disk, verity, CRYPT_VERITY_CHECK_HASH));
    }));
    return volume.run([&](crypt_device* device) {
        return ::crypt_activate_by_volume_key(
            device, nullptr, reinterpret_cast<const char*>(verity.root_hash.data()),
            verity.root_hash.size(), CRYPT_ACTIVATE_READONLY);
    });
}

} // namespace tdshim::tools
