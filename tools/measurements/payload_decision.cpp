// SPDX-License-Identifier: Apache-2.0
#include "tools/measurements/payload_decision.hpp"

#include <algorithm>
#include <format>
#include <memory>

#include "shim/formats/bundle/events.hpp"
#include "shim/formats/linux/setup_header.hpp"
#include "shim/formats/linux/vmlinux.hpp"
#include "shim/formats/tdvf/aml_policy.hpp"
#include "shim/plan/command_line.hpp"
#include "shim/plan/initrd.hpp"
#include "shim/plan/payload_files.hpp"
#include "shim/plan/placed_file.hpp"
#include "tools/common/look.hpp"

namespace tdshim::tools {
namespace {

using payload::Kind;
using plan::PayloadFiles;

InputFile file_of(Bytes bytes, std::string origin) {
    return {measure::digest_of(bytes), std::move(origin)};
}

InputBytes copy_of(Bytes bytes, std::string origin) {
    return {{bytes.begin(), bytes.end()}, std::move(origin)};
}

/// One decision about one payload, in the order of the boot.
class Decision {
  public:
    Decision(const cfv::Enrolment& enrolment, const SuppliedPayload& supplied, BootInputs& inputs)
        : enrolment_(enrolment), supplied_(supplied), inputs_(inputs) {}

    Outcome<> run() {
        TRY(admit());
        files_ = TRY(of_file(supplied_.name, plan::files_of(payload_)));
        inputs_.knows_payload = true;
        if (!files_.is_linux()) {
            inputs_.contents = plan::contents_of(payload_, files_, false);
            add_kernel();
            return {};
        }
        TRY(refused_by(plan::check_beside(files_.initrd, supplies_initrd())));
        inputs_.contents = plan::contents_of(payload_, files_, supplies_initrd());
        add_kernel();
        if (files_.is_container)
            TRY(refused_by(verify::check_part(enrolment_, inputs_.kernel->digest.digest)));
        TRY(add_initrds());
        const std::uint64_t limit = TRY(command_line_limit());
        TRY(add_command_line(limit));
        return add_bundle();
    }

  private:
    template <class T>
    Outcome<T> refused_by(Result<T> result) const {
        return of_file(supplied_.name, std::move(result));
    }

    /// The file as the firmware finds it.
    Outcome<plan::PlacedFile> find_file() const {
        const bool is_placed = supplied_.payload_region && supplied_.stated_size == 0;
        const auto image_type =
            supplied_.announced ? std::optional(supplied_.announced->image_type) : std::nullopt;
        if (is_placed)
            return refused_by(plan::placed_file(*supplied_.payload_region, 0, image_type));
        return plan::PlacedFile{.kind = TRY(of_file(supplied_.name, supplied_.file,
                                                    plan::kind_of_file(supplied_.file))),
                                .bytes = supplied_.file};
    }

    Outcome<> admit() {
        const auto memory = std::make_unique<crypto::SignatureMemory>();
        const plan::PlacedFile file = TRY(find_file());
        payload_.kind = file.kind;
        if (file.kind == Kind::raw_vmlinux)
            payload_.raw_entry = supplied_.announced->entry;
        const auto admitted = TRY(refused_by(verify::check_payload(
            enrolment_, file.bytes, verify::kind_of(payload_.kind), memory->bytes)));
        payload_.contents = admitted.contents;
        is_signed_ = admitted.contents.size() != file.bytes.size();
        if (admitted.authority) {
            payload_.signer = admitted.authority->key;
            inputs_.authority = Authority{
                .anchor = copy_of(admitted.authority->anchor, "key that signed " + supplied_.name),
                .svn = admitted.authority->svn};
        }
        return {};
    }

    /// In words: the payload, or `part` of it.
    [[nodiscard]] std::string origin(std::string_view part) const {
        const std::string whole = (is_signed_ ? "contents of " : "") + supplied_.origin;
        if (!files_.is_container)
            return whole;
        return payload_.kind == Kind::uki ? std::format("section .{} of {}", part, whole)
                                          : std::format("{} of {}", part, whole);
    }

    [[nodiscard]] bool supplies_initrd() const {
        return supplied_.initrd && supplied_.initrd->digest.size != 0;
    }
    [[nodiscard]] bool has_region_digests() const {
        return (inputs_.image_options & tdvf::option_region_digests) != 0;
    }
    [[nodiscard]] plan::Demands demands() const {
        return {.is_signed = payload_.signer.has_value(),
                .keeps_tables_out =
                    tdvf::aml_policy_of(inputs_.image_options) != tdvf::AmlPolicy::measured};
    }

    void add_kernel() {
        const bool is_region = !files_.is_container && supplied_.payload_region &&
                               (has_region_digests() || payload_.kind == Kind::raw_vmlinux);
        inputs_.kernel = is_region ? file_of(*supplied_.payload_region, origin("") + ", padded")
                                   : file_of(files_.program, origin(is_uki() ? "linux" : "kernel"));
        if (has_region_digests() && supplied_.payload_is_in_mrtd &&
            inputs_.contents->is_of_td_shim())
            inputs_.kernel.reset();
        if (!files_.os_release.empty())
            inputs_.os_release = file_of(files_.os_release, origin("osrel"));
    }

    [[nodiscard]] bool is_uki() const { return payload_.kind == Kind::uki; }

    Outcome<> add_initrds() {
        inputs_.initrds.clear();
        const Bytes own = files_.initrd.bytes;
        if (!own.empty())
            inputs_.initrds.push_back(file_of(own, origin("initrd")));
        if (supplies_initrd())
            inputs_.initrds.push_back(*supplied_.initrd);
        return check_archives();
    }

    Outcome<> check_archives() const {
        const Bytes own = files_.initrd.bytes;
        std::vector<std::byte> all(own.begin(), own.end());
        if (supplies_initrd())
            all.resize(plan::place_of_supplied_initrd(own.size()));
        const std::size_t supplied_at = all.size();
        if (supplies_initrd())
            all.append_range(supplied_.initrd_bytes);
        return refused_by(plan::check_initrd(all, supplied_at, demands()));
    }

    Outcome<std::uint64_t> command_line_limit() const {
        if (files_.kind == Kind::bzimage)
            return TRY(refused_by(linux_boot::parse_kernel(files_.program))).command_line_limit;
        if (files_.kind == Kind::vmlinux)
            return TRY(refused_by(linux_boot::parse_vmlinux(files_.program)))
                .kernel.command_line_limit;
        return TRY(refused_by(linux_boot::raw_vmlinux(supplied_.raw_place, *payload_.raw_entry)))
            .kernel.command_line_limit;
    }

    /// What the VMM has, as the firmware reads it.
    [[nodiscard]] Bytes supplied_text() const {
        const Bytes bytes = supplied_.command_line.bytes;
        if (supplied_.is_item)
            return plan::text_of_item(bytes);
        const auto nul = std::ranges::find(bytes, std::byte{0});
        return bytes.first(static_cast<std::size_t>(nul - bytes.begin()));
    }

    Outcome<> add_command_line(std::uint64_t limit) {
        const plan::Own& own = files_.command_line;
        const Bytes text = supplied_text();
        std::vector<std::byte> memory(plan::place_of_supplied(own));
        memory.append_range(text);
        memory.resize(std::max(memory.size(), own.bytes.size()));
        const Bytes line = TRY(refused_by(plan::join(own, text, memory)));
        TRY(refused_by(plan::check_line(line, !text.empty(), limit, demands())));
        const bool is_region = has_region_digests() && supplied_.parameter_region;
        std::string words = supplied_.command_line.origin;
        if (!own.bytes.empty())
            words = origin(is_uki() ? "cmdline" : "command line") +
                    (text.empty() ? "" : ", and " + words);
        inputs_.command_line = is_region && own.bytes.empty()
                                   ? copy_of(*supplied_.parameter_region, words + ", padded")
                                   : copy_of(line, words);
        return {};
    }

    Outcome<> add_bundle() {
        if (files_.manifest.empty())
            return {};
        inputs_.bundle =
            BundleInputs{.manifest = copy_of(files_.manifest, origin("manifest")), .events = {}};
        const auto file =
            TRY(of_file("events of " + supplied_.name,
                        bundle::EventsFile::parse(files_.events, payload_.signer.has_value())));
        bundle::EventsReader reader(file, payload_.signer ? &*payload_.signer : nullptr);
        bundle::Event event;
        while (TRY(refused_by(reader.next(event))))
            inputs_.bundle->events.push_back(
                {event.rtmr, event.type,
                 copy_of(event.data.view(),
                         origin(std::format("event {}", inputs_.bundle->events.size() + 1)))});
        return {};
    }

    const cfv::Enrolment& enrolment_;
    const SuppliedPayload& supplied_;
    BootInputs& inputs_;
    plan::Payload payload_;
    PayloadFiles files_;
    bool is_signed_ = false;
};

} // namespace

Outcome<> decide_payload(const cfv::Enrolment& enrolment, const SuppliedPayload& supplied,
                         BootInputs& inputs) {
    return Decision(enrolment, supplied, inputs).run();
}

} // namespace tdshim::tools
