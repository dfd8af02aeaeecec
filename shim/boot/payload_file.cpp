// SPDX-License-Identifier: Apache-2.0
#include "shim/boot/payload_file.hpp"

#include "shim/base/line.hpp"
#include "shim/boot/memory_map.hpp"
#include "shim/memory/layout.hpp"
#include "shim/plan/placed_file.hpp"
#include "shim/platform/platform.hpp"

namespace tdshim::boot {
namespace {

using payload::Kind;

/// A file of which the kind is not known yet.
PayloadFile file_at(Gpa place, const GpaRange& copied, Bytes bytes) {
    return {
        .place = place, .copied = copied, .bytes = bytes, .measured = bytes, .is_recorded = true};
}

/// The payload that shim-ld embedded, where no section has the VMM place it; it is read where it
/// stands, for in a TD the image is private memory that the VMM cannot change any more.
Result<std::optional<PayloadFile>> embedded_file(Context& context) {
    context.input = "payload in the firmware image";
    const auto& info = context.image_info;
    if (!info || info->payload_size == 0)
        return std::nullopt;
    const GpaRange place =
        TRY(GpaRange::make({layout::image_end - info->payload_from_end}, info->payload_size));
    const Bytes bytes = TRY(platform::image(place));
    return file_at(place.start(), {}, bytes);
}

/// Room for a file until it, or what it holds, has been moved to where it is used.
Result<GpaRange> staging(Context& context, std::uint64_t size) {
    return allocate(context, {.size = size,
                              .within = GpaRange::between({layout::shim_data.end()}, {4 * GiB}),
                              .order = memory::Request::Order::highest_first})
        .transform_error(memory::said_as<Fault::kernel_does_not_fit>);
}

Result<PayloadFile> read_file(Context& context, const fw_cfg::File& file) {
    if (file.size == 0) // nothing to copy; who looks for the kind says what is wrong
        return PayloadFile{};
    const GpaRange place = TRY(staging(context, file.size));
    const MutableBytes memory = TRY(platform::memory(place));
    const MutableBytes bytes = memory.first(file.size);
    TRY(context.items.read(file.selector, bytes));
    return file_at(place.start(), place, bytes);
}

/// The legacy keys hold the file in two parts, which together are measured as they came.
Result<PayloadFile> read_legacy_keys(Context& context) {
    context.input = "fw_cfg legacy kernel";
    const std::uint64_t setup = TRY(context.items.number(fw_cfg::setup_size));
    const std::uint64_t code = TRY(context.items.number(fw_cfg::kernel_size));
    if (setup == 0 || code == 0)
        return refuse(Fault::kernel_missing);
    const GpaRange place = TRY(staging(context, setup + code));
    const MutableBytes memory = TRY(platform::memory(place));
    const MutableBytes bytes = memory.first(setup + code);
    TRY(context.items.read(fw_cfg::setup_data, bytes.first(setup)));
    TRY(context.items.read(fw_cfg::kernel_data, bytes.subspan(setup)));
    return file_at(place.start(), place, bytes);
}

Result<PayloadFile> read_items(Context& context) {
    for (const std::string_view name : {fw_cfg::named_kernel, fw_cfg::boot_kernel}) {
        context.input = name;
        if (const auto file = context.items.find(name))
            return read_file(context, *file);
    }
    return read_legacy_keys(context);
}

/// Tells the kind of the file at the start of the Payload section, and where it ends.
Result<void> identify(const Context& context, const tdvf::Section& section, PayloadFile& file) {
    const auto& announced = context.td_hob.payload;
    const auto image_type = announced ? std::optional(announced->image_type) : std::nullopt;
    const plan::PlacedFile placed =
        TRY(plan::placed_file(file.bytes, section.raw_size, image_type));
    file.kind = placed.kind;
    file.bytes = placed.bytes;
    file.measured = placed.bytes;
    if (placed.kind == Kind::raw_vmlinux)
        file.raw_entry = announced->entry;
    return {};
}

/// What the VMM put into the Payload section, which is private memory since before the TD began.
Result<PayloadFile> placed_file(Context& context, const tdvf::Section& section) {
    context.input = "Payload section";
    const Bytes memory = TRY(platform::memory(section.memory));
    PayloadFile file = file_at(section.memory.start(), {}, memory);
    const auto identified = identify(context, section, file);
    if (!identified)
        return refuse_file(context, file, identified.error());
    if (context.has_option(tdvf::option_region_digests)) {
        file.measured = memory;
        file.is_recorded = (section.attributes & tdvf::attribute_mr_extend) == 0;
    }
    return file;
}

/// The section of an embedded payload that MRTD does not tell; empty where there is none. All of it
/// is the VMM's to fill: what is signed around the payload, and what is behind it.
GpaRange unmeasured_part_of_image(const Context& context, Gpa place) {
    if (platform::is_td() && context.metadata)
        for (const tdvf::Section& section : context.metadata->sections)
            if (section.type == tdvf::SectionType::cfv &&
                (section.attributes & tdvf::attribute_mr_extend) == 0 &&
                section.memory.start() <= place && place < section.memory.end())
                return section.memory;
    return {};
}

Result<void> record_contents(Context& context, const measure::Contents& contents) {
    const Line text = contents.text();
    platform::print((Line() << "tdshim: contents: " << text.text()).text());
    return context.recorder.record(measure::contents(bytes_of(text.text())));
}

} // namespace

Result<PayloadFile> fetch_payload(Context& context) {
    if (!context.uses_fw_cfg()) {
        const tdvf::Section* const section = context.section(tdvf::SectionType::payload);
        if (section == nullptr)
            return refuse(Fault::kernel_missing);
        return placed_file(context, *section);
    }
    const auto embedded = TRY(embedded_file(context));
    PayloadFile file = embedded ? *embedded : TRY(read_items(context));
    const auto kind = plan::kind_of_file(file.bytes);
    if (!kind)
        return refuse_file(context, file, kind.error());
    file.kind = *kind;
    return file;
}

Result<void> open_payload_register(Context& context, const PayloadFile& file,
                                   const measure::Contents& contents) {
    for (const measure::Opening step : contents.openings(context.digests()))
        switch (step) {
        case measure::Opening::svn:
            TRY(context.recorder.record(measure::payload_svn(file.svn, context.digests())));
            break;
        case measure::Opening::separators: TRY(context.recorder.close()); break;
        case measure::Opening::contents: TRY(record_contents(context, contents)); break;
        }
    return {};
}

Result<void> discard_file(Context& context, const PayloadFile& file) {
    if (file.copied.empty()) {
        const GpaRange place = unmeasured_part_of_image(context, file.place);
        if (place.empty())
            return {};
        TRY(clear_memory(place));
        return platform::protect(place, memory::Access::read);
    }
    TRY(clear_memory(file.copied));
    context.memory.release(file.copied);
    return {};
}

std::unexpected<Error> refuse_file(Context& context, const PayloadFile& file, const Error& error) {
    const auto recorded =
        context.recorder.record(measure::kernel(file.place, measure::digest_of(file.bytes)));
    return std::unexpected(recorded ? error : recorded.error());
}

} // namespace tdshim::boot
