// SPDX-License-Identifier: Apache-2.0
//
// Whole boots in a host process, with inputs of the VMM spoiled by the fuzzer. The input is a byte
// that chooses the kind of machine, then patches to well-formed inputs: which file, where, how many
// bytes, the bytes; a length of zero cuts the file off there. In a TD the TD HOB is one of the
// files, and acceptance ends as the fuzzer says. The kernel may be a Linux bundle, and the image
// may have a configuration volume, which is one of the files too. Every boot ends in a payload or
// in a refusal, and breaks none of the machine's rules.
#include <array>
#include <cstdio>
#include <cstdlib>

#include "shim/formats/bundle/builder.hpp"
#include "shim/formats/cfv/builder.hpp"
#include "tests/native/image.hpp"
#include "tests/native/inputs.hpp"
#include "tests/native/logged.hpp"

namespace {

using namespace tdshim;

// Behind the last one come the TD HOB and the configuration volume.
constexpr std::array file_names{"etc/e820",
                                "etc/table-loader",
                                "etc/acpi/tables",
                                "etc/acpi/rsdp",
                                "opt/org.tdshim/kernel",
                                "opt/org.tdshim/cmdline",
                                "opt/org.tdshim/initrd"};

struct Patch {
    std::uint8_t file;
    le16 offset;
    std::uint8_t length;
};

/// Bits of the input's first byte.
enum Kind : std::uint8_t {
    is_td = 1,
    no_large_pages = 2,
    odd_answer = 4,
    accept_all = 8,
    is_bundle = 16,
    is_enrolled = 32,
};

/// A bundle to which everything may be added, with events for both registers.
native::Blob bundle_file() {
    const native::Blob kernel = native::kernel_image();
    const bundle::Contents contents{
        .manifest = {.appends_command_line = true, .appends_initrd = true, .title = {}},
        .kernel = kernel,
        .initrd = bytes_of(std::string_view("an initrd")),
        .command_line = bytes_of(std::string_view("console=ttyS0")),
        .events = bytes_of(std::string_view("RTMR2:string:a\nRTMR3:binary:00ff\n"))};
    native::Blob file(bundle::size_of(contents).value());
    if (!bundle::write(file, contents))
        std::abort();
    return file;
}

/// A volume that revokes and lets everything else run.
native::Blob volume() {
    const std::array<crypto::Digest, 1> revoked{crypto::sha384({})};
    const std::array<cfv::KeyEntry, 1> keys{
        {{.key = revoked[0], .minimum_svn = 1, .kinds = cfv::all_payloads, .algorithm = 2}}};
    native::Blob bytes(layout::cfv_size);
    if (!cfv::write(bytes, std::nullopt,
                    cfv::PolicyContents{.policy = cfv::Policy::measured,
                                        .keys = keys,
                                        .revoked_keys = {},
                                        .revoked_payloads = revoked}))
        std::abort();
    return bytes;
}

/// A TD of 64 MiB with what the fuzzer wants of the VMM.
void make_td(native::Machine& machine, unsigned kind, const native::Blob& hob) {
    machine.make_td(hob, kind % 3 == 0 ? 48 : 52);
    machine.grant_large_pages((kind & no_large_pages) == 0);
    if ((kind & odd_answer) != 0)
        machine.answer_acceptance({(kind >> 4) * 4 * MiB},
                                  tdx::Status{std::uint64_t{kind} << 40 | 0xB0A'0000'0000});
    if ((kind & accept_all) != 0)
        machine.add_file("opt/org.tdshim/accept", native::text_blob("all"));
}

void apply(native::Machine& machine, native::Blob& hob, native::Blob& volume, Reader& reader) {
    while (const auto patch = reader.take<Patch>()) {
        const auto bytes = reader.take_bytes(std::min<std::size_t>(patch->length, reader.left()));
        const std::size_t index = patch->file % (file_names.size() + 2);
        native::Blob& file = index < file_names.size()    ? machine.file(file_names[index])
                             : index == file_names.size() ? hob
                                                          : volume;
        if (patch->offset > file.size())
            continue;
        if (patch->length == 0)
            file.resize(patch->offset);
        else
            for (std::size_t i = 0; i < bytes->size() && patch->offset + i < file.size(); ++i)
                file[patch->offset + i] = (*bytes)[i];
    }
}

/// The log leads to the machine's registers, and a separator closes both.
bool log_is_true(native::Machine& machine) {
    return native::log_leads_to_registers(machine) &&
           native::count_separators(*native::events_of(machine)) == 2;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    native::Machine machine;
    native::add_good_inputs(machine);
    native::Blob hob = native::td_hob({{hob::ResourceType::memory_unaccepted, 0, 64 * MiB}});
    Reader reader(std::as_bytes(std::span(data, size)));
    const unsigned kind = reader.take<std::uint8_t>().value_or(0);
    static const native::Blob good_bundle = bundle_file();
    static const native::Blob good_volume = volume();
    if ((kind & is_bundle) != 0)
        machine.file("opt/org.tdshim/kernel") = good_bundle;
    native::Blob enrolled = good_volume;
    apply(machine, hob, enrolled, reader);
    if ((kind & is_enrolled) != 0)
        machine.set_image_tail(native::image_without_code({}, 0, enrolled));
    if ((kind & is_td) != 0)
        make_td(machine, kind, hob);
    const native::Outcome outcome = machine.boot();
    if (!outcome.findings.empty() || outcome.linux.has_value() != outcome.refusal().empty() ||
        !log_is_true(machine)) {
        for (const auto* lines : {&outcome.console, &outcome.findings})
            for (const std::string& line : *lines)
                std::fprintf(stderr, "%s\n", line.c_str());
        std::abort();
    }
    return 0;
}
