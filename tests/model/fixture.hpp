// SPDX-License-Identifier: Apache-2.0
//
// A small TD on the model, with memory and a VMM that tests look into.
#pragma once

#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "tools/tdx-model/td.hpp"

namespace tdshim::tdx_model {

inline constexpr std::uint64_t ram_size = 64 * MiB;
inline constexpr std::uint64_t operand_rax = 0xC000'0100'0000'0000;
inline constexpr std::uint64_t operand_rcx = 0xC000'0100'0000'0001;
inline constexpr std::uint64_t operand_rdx = 0xC000'0100'0000'0002;
inline constexpr std::uint64_t operand_r8 = 0xC000'0100'0000'0008;
inline constexpr std::uint64_t r10_to_r15 = 0xFC00; // a mask of TDVMCALL
inline constexpr std::uint64_t shared_bit = std::uint64_t{1} << 51;

class ArrayMemory : public GuestMemory {
  public:
    [[nodiscard]] bool read(Gpa address, MutableBytes destination) override {
        if (address.value + destination.size() > bytes.size())
            return false;
        std::memcpy(destination.data(), bytes.data() + address.value, destination.size());
        return true;
    }
    [[nodiscard]] bool write(Gpa address, Bytes content) override {
        if (address.value + content.size() > bytes.size())
            return false;
        std::memcpy(bytes.data() + address.value, content.data(), content.size());
        ++writes;
        return true;
    }
    std::uint64_t writes = 0;
    std::vector<std::byte> bytes = std::vector<std::byte>(ram_size);
};

class RecordingVmm : public Vmm {
  public:
    [[nodiscard]] std::uint32_t read_port(std::uint16_t port, unsigned size) override {
        said += "in " + std::to_string(port) + "/" + std::to_string(size) + " ";
        return 0xABCD;
    }
    void write_port(std::uint16_t port, unsigned size, std::uint32_t value) override {
        said += "out " + std::to_string(port) + "/" + std::to_string(size) + "=" +
                std::to_string(value) + " ";
    }
    [[nodiscard]] std::uint64_t read_mmio(Gpa address, unsigned size) override {
        said += "load " + std::to_string(address.value) + "/" + std::to_string(size) + " ";
        return 0x1122'3344'5566'7788;
    }
    void write_mmio(Gpa address, unsigned size, std::uint64_t value) override {
        said += "store " + std::to_string(address.value) + "/" + std::to_string(size) + "=" +
                std::to_string(value) + " ";
    }
    [[nodiscard]] bool has_private_memory(Gpa page) override {
        return page.value < device.start().value || page.value >= device.end().value;
    }
    [[nodiscard]] QuoteAnswer quote(Bytes report) override {
        said += "quote of " + std::to_string(report.size()) + " ";
        return answer;
    }
    void halt(unsigned vcpu) override { said += "halt " + std::to_string(vcpu) + " "; }
    std::string said;
    QuoteAnswer answer{
        .status = quote_made, .quote = std::vector(5000, std::byte{7}), .said_size = {}};
    GpaRange device = GpaRange::between({40 * MiB}, {40 * MiB + 8192}); ///< in RAM's place
};

/// A TD of 64 MiB whose first MiB was added.
struct Fixture {
    static constexpr Configuration defaults{.vcpus = 3, .grants_large_pages = true};

    explicit Fixture(const Configuration& configuration = defaults)
        : td(configuration, memory, vmm) {
        td.pages().add_ram(GpaRange::between({0}, {ram_size}));
        td.pages().set(GpaRange::between({0}, {MiB}), PageState::accepted);
    }

    Outcome call(const std::map<Register, std::uint64_t>& in, unsigned vcpu = 0) {
        registers = {};
        for (const auto& [number, value] : in)
            registers[number] = value;
        return td.tdcall(vcpu, registers);
    }
    std::uint64_t status(const std::map<Register, std::uint64_t>& in) {
        static_cast<void>(call(in));
        return registers[rax];
    }
    Outcome vmcall(std::uint64_t function, std::map<Register, std::uint64_t> in,
                   unsigned vcpu = 0) {
        in[rax] = 0;
        in.try_emplace(rcx, r10_to_r15);
        in[r11] = function;
        return call(in, vcpu);
    }
    PageState state(std::uint64_t page) { return td.pages().state({page}); }

    ArrayMemory memory;
    RecordingVmm vmm;
    Td td;
    Registers registers{};
};

} // namespace tdshim::tdx_model
