// SPDX-License-Identifier: Apache-2.0
//
// What shim-measure is told, and the bytes that a boot with it measures.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "shim/formats/tdvf/metadata.hpp"
#include "tools/igvm/file.hpp"
#include "tools/measurements/identity.hpp"
#include "tools/measurements/prediction.hpp"
#include "tools/vmm/placement.hpp"
#include "tools/vmm/td_hob.hpp"

namespace tdshim::tools {

enum class Format { text, json, policy, trustee, trustee_policy, go_tdx_guest, corim };
/// Who starts the guest: whoever the image is made for; QEMU; a VMM that places the payload in the
/// image's sections; or nobody that is known, so that RTMR[0] cannot be told.
enum class Vmm { any, qemu, tdvf_payload, none };

struct Options {
    std::string image;
    std::string kernel;
    std::string initrd;
    std::optional<std::string> append;
    std::string append_file;
    Vmm vmm = Vmm::any;
    std::optional<std::uint64_t> payload_entry; ///< the kernel is a raw vmlinux
    vmm::PayloadInfoForm payload_form = vmm::PayloadInfoForm::packed;
    bool is_plain_vm = false;
    std::string machine = "q35";
    std::uint64_t memory = std::uint64_t{2} << 30;
    unsigned cpus = 1;
    std::string hob;
    std::string acpi;
    std::string save_acpi;
    std::string qemu = "qemu-system-x86_64";
    bool accepts_all_memory = false;
    bool passes_smbios = false;
    tdx_model::LoadOrder load_order = tdx_model::LoadOrder::page_by_page;
    IdentityOptions identity;
    Format format = Format::text;
    bool explain = false;
    std::vector<std::string> qemu_arguments;

    [[nodiscard]] bool knows_rtmr0() const { return vmm != Vmm::none; }
};

struct Image {
    std::string file;
    std::vector<std::byte> bytes;
    tdvf::Metadata metadata;
    std::optional<tdvf::ImageInfo> info; ///< what shim-ld says of an image of ours
    std::optional<igvm::File> igvm;      ///< in place of both, where the file is of that format
};

/// Not to be copied: an IGVM file refers to `bytes`.
[[nodiscard]] Outcome<Image> read_image(const std::string& file);

/// Of an IGVM file MRTD alone can be told: the firmware does not boot from one yet, so that nothing
/// but its pages is asked about, in their own order.
[[nodiscard]] Outcome<Options> options_for_igvm(Options options);

struct Gathered {
    BootInputs boot;
    vmm::Placement placement; ///< what the VMM puts into sections, for MRTD
};

/// Reads or makes what a boot of `image` with these options measures.
[[nodiscard]] Outcome<Gathered> gather_inputs(const Options& options, const Image& image);

} // namespace tdshim::tools
