// SPDX-License-Identifier: Apache-2.0
#include "shim/measure/measurement.hpp"

#include <algorithm>

#include "shim/measure/descriptors.hpp"

namespace tdshim::measure {
namespace {

using event_log::EventType;

constexpr std::uint32_t firmware_configuration = 0; // RTMR[0]
constexpr std::uint32_t operating_system = 1;       // RTMR[1]

template <Wire T>
void append(Measurement& measurement, const T& value) {
    std::ranges::copy(bytes_of(value), measurement.head_bytes.begin() +
                                           static_cast<std::ptrdiff_t>(measurement.head_size));
    measurement.head_size += sizeof(T);
}

void append(Measurement& measurement, std::string_view text) {
    for (const char c : text)
        append(measurement, c);
}

Measurement measured(std::uint32_t rtmr, EventType type, const FileDigest& content) {
    Measurement measurement;
    measurement.rtmr = rtmr;
    measurement.type = type;
    measurement.digest = content.digest;
    measurement.hashed = content.size;
    return measurement;
}

/// How many bytes a name takes in the event of a file: its length in front, a NUL behind.
std::size_t size_of_name(std::string_view name) {
    return 1 + name.size() + 1;
}

/// Event data: UEFI_PLATFORM_FIRMWARE_BLOB2. Its description ends in NUL, as readers expect it.
Measurement blob(std::uint32_t rtmr, std::string_view name, Gpa place, const FileDigest& content) {
    Measurement measurement = measured(rtmr, EventType::platform_firmware_blob2, content);
    append(measurement, static_cast<std::uint8_t>(name.size() + 1));
    append(measurement, name);
    append(measurement, '\0');
    append(measurement, event_log::BlobRange{place.value, content.size});
    return measurement;
}

/// Event data: TD_SHIM_PLATFORM_CONFIG_INFO. There is no digest yet.
Measurement config_event(std::uint32_t rtmr, std::string_view descriptor, Bytes info) {
    Measurement measurement =
        measured(rtmr, EventType::platform_config_flags, {.digest = {}, .size = info.size()});
    event_log::ConfigInfo header{.descriptor = {},
                                 .length = static_cast<std::uint32_t>(info.size())};
    std::ranges::copy(descriptor.substr(0, header.descriptor.size()), header.descriptor.begin());
    append(measurement, header);
    measurement.body = info;
    return measurement;
}

/// With the digest of all of the event's data.
Measurement config(std::uint32_t rtmr, std::string_view descriptor, Bytes info) {
    Measurement measurement = config_event(rtmr, descriptor, info);
    measurement.digest = crypto::sha384(measurement.head(), measurement.body);
    return measurement;
}

/// With the digest of `info` alone.
Measurement bare_config(std::uint32_t rtmr, std::string_view descriptor, Bytes info) {
    Measurement measurement = config_event(rtmr, descriptor, info);
    measurement.digest = crypto::sha384(info);
    return measurement;
}

Measurement config(std::uint32_t rtmr, std::string_view descriptor, Bytes info, Digests digests) {
    return digests == Digests::named ? config(rtmr, descriptor, info)
                                     : bare_config(rtmr, descriptor, info);
}

} // namespace

FileDigest digest_of(Bytes file) {
    return {.digest = crypto::sha384(file), .size = file.size()};
}

std::string_view text_of(tdvf::AmlPolicy policy) {
    switch (policy) {
    case tdvf::AmlPolicy::measured: return "";
    case tdvf::AmlPolicy::refuse: return "aml=refuse";
    case tdvf::AmlPolicy::drop: return "aml=drop";
    case tdvf::AmlPolicy::enrolled: return "aml=enrolled";
    }
    return "";
}

Measurement aml_policy(tdvf::AmlPolicy policy) {
    return config(firmware_configuration, descriptor::aml, bytes_of(text_of(policy)));
}

Measurement configuration(std::string_view descriptor, Bytes info) {
    return config(firmware_configuration, descriptor, info);
}

Measurement configuration_file(std::string_view name, Gpa place, Bytes file) {
    Measurement measurement =
        blob(firmware_configuration, name, place, {.digest = {}, .size = file.size()});
    // The name as it stands in the event.
    measurement.digest = crypto::sha384(measurement.head().first(size_of_name(name)), file);
    return measurement;
}

Measurement td_hob(Bytes list) {
    return bare_config(firmware_configuration, descriptor::td_hob, list);
}

Measurement contents(Bytes text) {
    return config(operating_system, descriptor::contents, text);
}

Measurement kernel(Gpa place, const FileDigest& file) {
    return blob(operating_system, descriptor::payload, place, file);
}

Measurement initrd(Gpa place, const FileDigest& file) {
    return blob(operating_system, descriptor::initrd, place, file);
}

Measurement os_release(Gpa place, const FileDigest& file) {
    return blob(operating_system, descriptor::os_release, place, file);
}

Measurement bundle_manifest(Bytes file) {
    return config(operating_system, descriptor::bundle, file);
}

Measurement bundle_event(std::uint32_t rtmr, EventType type, Bytes data) {
    Measurement measurement = measured(rtmr, type, digest_of(data));
    measurement.body = data;
    return measurement;
}

Measurement command_line(Bytes text) {
    return bare_config(operating_system, descriptor::parameter, text);
}

Measurement secure_policy(Bytes file, Digests digests) {
    return config(firmware_configuration, descriptor::secure_policy, file, digests);
}

Measurement secure_authority(Bytes anchor, Digests digests) {
    return config(firmware_configuration, descriptor::secure_authority, anchor, digests);
}

Measurement payload_svn(std::uint64_t svn, Digests digests) {
    const le64 value = svn;
    Measurement measurement = config(operating_system, descriptor::svn, bytes_of(value), digests);
    append(measurement, value);
    measurement.body = {};
    return measurement;
}

Measurement separator(std::uint32_t rtmr) {
    const le32 value = 0;
    Measurement measurement = measured(rtmr, EventType::separator, digest_of(bytes_of(value)));
    append(measurement, value);
    return measurement;
}

Measurement error_separator(std::uint32_t rtmr, std::string_view reason) {
    const le32 value = 1;
    Measurement measurement = measured(rtmr, EventType::separator, digest_of(bytes_of(value)));
    append(measurement, value);
    measurement.body = bytes_of(reason);
    return measurement;
}

} // namespace tdshim::measure
