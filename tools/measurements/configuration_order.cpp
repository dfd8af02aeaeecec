// SPDX-License-Identifier: Apache-2.0
#include "tools/measurements/configuration_order.hpp"

#include <array>
#include <format>
#include <limits>

#include "shim/formats/fw_cfg/wire.hpp"
#include "shim/measure/descriptors.hpp"
#include "shim/measure/measurement.hpp"
#include "tools/measurements/event_form.hpp"
#include "tools/measurements/summary.hpp"

namespace tdshim::tools {
namespace {

namespace descriptor = measure::descriptor;
using event_log::Event;
using event_log::EventType;

enum class Place {
    portable,
    aml,
    memory,
    accepted,
    policy, ///< the anchor's file, and the policy's behind it
    loader_script,
    tables, ///< any number
    smbios,
    authority,
    separator,
    error,
};

struct Named {
    EventType type;
    std::string_view name;
    Place place;
};
constexpr std::array named{
    Named{EventType::platform_config_flags, measure::policy_descriptor, Place::portable},
    Named{EventType::platform_config_flags, descriptor::aml, Place::aml},
    Named{EventType::platform_config_flags, descriptor::td_hob, Place::memory},
    Named{EventType::platform_config_flags, fw_cfg::e820_table, Place::memory},
    Named{EventType::platform_config_flags, measure::accept_descriptor, Place::accepted},
    Named{EventType::platform_config_flags, descriptor::secure_policy, Place::policy},
    Named{EventType::platform_firmware_blob2, fw_cfg::table_loader, Place::loader_script},
    Named{EventType::platform_firmware_blob2, fw_cfg::smbios_tables, Place::smbios},
    Named{EventType::platform_config_flags, descriptor::secure_authority, Place::authority}};

/// Nothing for an event that the firmware does not have.
std::optional<Place> place_in_order(const Event& event) {
    if (event.type == EventType::separator)
        return is_error_separator(event) ? Place::error : Place::separator;
    const std::string name = summarise(event).description;
    for (const Named& known : named)
        if (event.type == known.type && name == known.name)
            return known.place;
    if (event.type == EventType::platform_firmware_blob2)
        return Place::tables;
    return std::nullopt;
}

/// Of the name as it stands in the log of a file, printable or not, with its NUL.
std::size_t name_size(const Event& event) {
    return event.data.empty() ? 0 : std::to_integer<std::size_t>(event.data[0]);
}

/// What has come so far.
class Order {
  public:
    /// Whether an event may stand here. Of tables there is a script first, or the image is portable
    /// and has them from a TD HOB.
    bool take(const Event& event) {
        constexpr std::size_t signature_size = 4;
        const auto place = place_in_order(event);
        if (!place || (last_ && *place < *last_))
            return false;
        count_ = place == last_ ? count_ + 1 : 1;
        if (count_ > most_of(*place))
            return false;
        if (*place == Place::tables && !has_script_ &&
            !(is_portable_ && name_size(event) == signature_size + 1))
            return false;
        has_script_ = has_script_ || *place == Place::loader_script;
        is_portable_ = is_portable_ || *place == Place::portable;
        const bool is_file = event.type == EventType::platform_firmware_blob2;
        const bool comes_first = !last_;
        last_ = place;
        return !(comes_first && is_file);
    }

  private:
    /// How many events may stand at a place.
    static std::size_t most_of(Place place) {
        if (place == Place::tables)
            return std::numeric_limits<std::size_t>::max();
        return place == Place::policy ? 2 : 1;
    }

    std::optional<Place> last_;
    std::size_t count_ = 0; ///< of the last one's place
    bool has_script_ = false;
    bool is_portable_ = false;
};

} // namespace

std::optional<Finding> find_misplaced_configuration(const DecodedLog& log) {
    constexpr std::uint32_t configuration = 0; // RTMR[0]
    Order order;
    std::size_t index = 0;
    for (const std::size_t at : extensions_of(log, configuration)) {
        const Event& event = log.events[at];
        if (!order.take(event))
            return Finding{key_of_rtmr(configuration), label(event), "",
                           std::format("{}: {} is not where the firmware measures such a thing",
                                       place_of(event, index), label(event)),
                           event.offset};
        ++index;
    }
    return std::nullopt;
}

} // namespace tdshim::tools
