// SPDX-License-Identifier: Apache-2.0
#include "tools/measurements/prediction.hpp"

#include "shim/formats/event_log/writer.hpp"
#include "shim/formats/fw_cfg/wire.hpp"
#include "shim/formats/tdvf/wire.hpp"
#include "shim/memory/layout.hpp"
#include "tools/measurements/summary.hpp"

namespace tdshim::tools {
namespace {

using measure::Measurement;

/// Measurements in the order in which the firmware makes them.
class Predictor {
  public:
    void add(const Measurement& measurement, const std::string& origin) {
        // The number of the register is one of ours.
        static_cast<void>(result_.registers.extend(measurement.rtmr, measurement.digest));
        result_.events.push_back({measurement, description_of(measurement), origin});
    }

    void add_contents(const Line& text) {
        add(measure::contents(kept(text)), "kinds of the files");
    }

    /// Whether all memory is accepted before the payload runs.
    void add_acceptance(const BootInputs& inputs) {
        const std::string_view text =
            inputs.accepts_all_memory ? measure::accept_all_text : measure::accept_lazily_text;
        add(measure::configuration(measure::accept_descriptor, bytes_of(text)),
            std::string(fw_cfg::accept_policy));
    }

    /// Closes the firmware's registers, once.
    void close() {
        for (std::uint32_t rtmr = 0; !is_closed_ && rtmr < 2; ++rtmr)
            add(measure::separator(rtmr), "end of the firmware");
        is_closed_ = true;
    }

    [[nodiscard]] Prediction finish() {
        close();
        return std::move(result_);
    }

  private:
    Bytes kept(const Line& text) {
        return bytes_of(result_.texts.emplace_back(std::make_unique<Line>(text))->text());
    }

    static std::string description_of(const Measurement& measurement) {
        std::vector<std::byte> data(measurement.head().begin(), measurement.head().end());
        data.append_range(measurement.body);
        return summarise({.offset = 0,
                          .mr_index = event_log::mr_index_of_rtmr(measurement.rtmr),
                          .type = measurement.type,
                          .digest = measurement.digest,
                          .data = data})
            .description;
    }

    Prediction result_;
    bool is_closed_ = false;
};

measure::Digests digests_of(const BootInputs& inputs) {
    return (inputs.image_options & tdvf::option_region_digests) != 0 ? measure::Digests::td_shim
                                                                     : measure::Digests::named;
}

void open_payload_register(Predictor& predictor, const BootInputs& inputs,
                           const measure::Contents& contents) {
    for (const measure::Opening step : contents.openings(digests_of(inputs)))
        switch (step) {
        case measure::Opening::svn:
            predictor.add(measure::payload_svn(inputs.authority->svn, digests_of(inputs)),
                          "SVN under its signature");
            break;
        case measure::Opening::separators: predictor.close(); break;
        case measure::Opening::contents: predictor.add_contents(contents.text()); break;
        }
}

void add_payload(Predictor& predictor, const BootInputs& inputs) {
    constexpr Gpa somewhere{};
    if (inputs.authority) {
        const InputBytes& anchor = inputs.authority->anchor;
        predictor.add(measure::secure_authority(anchor.bytes, digests_of(inputs)), anchor.origin);
    }
    if (inputs.contents)
        open_payload_register(predictor, inputs, *inputs.contents);
    if (inputs.kernel)
        predictor.add(measure::kernel(somewhere, inputs.kernel->digest), inputs.kernel->origin);
    if (inputs.os_release)
        predictor.add(measure::os_release(somewhere, inputs.os_release->digest),
                      inputs.os_release->origin);
    if (inputs.bundle)
        predictor.add(measure::bundle_manifest(inputs.bundle->manifest.bytes),
                      inputs.bundle->manifest.origin);
    for (const InputFile& initrd : inputs.initrds)
        predictor.add(measure::initrd(somewhere, initrd.digest), initrd.origin);
    if (inputs.command_line)
        predictor.add(measure::command_line(inputs.command_line->bytes),
                      inputs.command_line->origin);
    if (inputs.bundle)
        for (const BundleInputs::Event& event : inputs.bundle->events)
            predictor.add(measure::bundle_event(event.rtmr, event.type, event.data.bytes),
                          event.data.origin);
}

} // namespace

Prediction predict(const BootInputs& inputs) {
    constexpr Gpa somewhere{};
    Predictor predictor;
    const bool is_portable = (inputs.image_options & tdvf::option_portable) != 0;
    const bool has_static_acpi = (inputs.image_options & tdvf::option_static_acpi) != 0;
    if (is_portable)
        predictor.add(
            measure::configuration(measure::policy_descriptor,
                                   bytes_of(has_static_acpi ? measure::policy_static_acpi
                                                            : measure::policy_measured_acpi)),
            "policy of the image");
    if (const auto aml = tdvf::aml_policy_of(inputs.image_options);
        aml != tdvf::AmlPolicy::measured)
        predictor.add(measure::aml_policy(aml), "policy of the image");
    if (inputs.td_hob && !is_portable)
        predictor.add(measure::td_hob(inputs.td_hob->bytes), inputs.td_hob->origin);
    if (inputs.uses_fw_cfg)
        predictor.add_acceptance(inputs);
    if (inputs.memory_map && !is_portable)
        predictor.add(measure::configuration(fw_cfg::e820_table, inputs.memory_map->bytes),
                      inputs.memory_map->origin);
    for (const InputBytes& file : inputs.policy_files)
        predictor.add(measure::secure_policy(file.bytes, digests_of(inputs)), file.origin);
    if (!has_static_acpi)
        for (const vmm::ConfigFile& file : inputs.acpi)
            predictor.add(measure::configuration_file(file.name, somewhere, file.content),
                          inputs.acpi_origin);
    if (inputs.smbios)
        predictor.add(
            measure::configuration_file(fw_cfg::smbios_tables, somewhere, inputs.smbios->bytes),
            inputs.smbios->origin);
    add_payload(predictor, inputs);
    return predictor.finish();
}

Outcome<> check_log_room(const Prediction& prediction) {
    std::vector<std::byte> area(layout::event_log.size());
    event_log::LogWriter log(area);
    for (const PredictedEvent& event : prediction.events) {
        const Measurement& measured = event.measurement;
        const bool is_separator = measured.type == event_log::EventType::separator;
        const std::size_t reserve = is_separator ? 0 : measure::room_for_separators;
        TRY(of_file(event.origin,
                    log.check_room(measured.head_size + measured.body.size(), reserve)));
        TRY(of_file(event.origin,
                    log.append(event_log::mr_index_of_rtmr(measured.rtmr), measured.type,
                               measured.digest, measured.head(), measured.body)));
    }
    return {};
}

} // namespace tdshim::tools
