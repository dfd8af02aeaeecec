// SPDX-License-Identifier: Apache-2.0
#include "payload/runtime/mmio_instruction.hpp"

namespace tdshim::runtime {
namespace {

constexpr std::uint8_t rex_w = 8;
constexpr std::uint8_t rex_r = 4;

struct Prefixes {
    bool is_word = false; ///< 0x66
    std::uint8_t rex = 0; ///< 0: none
};

/// Operand size by the prefixes, for instructions that are not of bytes.
unsigned operand_size(const Prefixes& prefixes) {
    return (prefixes.rex & rex_w) != 0 ? 8 : prefixes.is_word ? 2 : 4;
}

Result<std::uint8_t> take_prefixes(Reader& code, Prefixes& prefixes) {
    std::uint8_t byte = TRY(code.take<std::uint8_t>());
    for (; byte == 0x66; byte = TRY(code.take<std::uint8_t>()))
        prefixes.is_word = true;
    if ((byte & 0xF0) == 0x40) {
        prefixes.rex = byte;
        byte = TRY(code.take<std::uint8_t>());
    }
    return byte;
}

/// Takes ModRM and what it brings along. Returns its register field, nothing for a register
/// operand.
Result<std::optional<unsigned>> take_memory_operand(Reader& code) {
    const std::uint8_t mod_rm = TRY(code.take<std::uint8_t>());
    const unsigned mod = mod_rm >> 6;
    unsigned base = mod_rm & 7;
    if (mod == 3)
        return std::nullopt;
    if (base == 4)
        base = TRY(code.take<std::uint8_t>()) & 7; // SIB
    const bool has_no_base = mod == 0 && base == 5;
    TRY(code.take_bytes(mod == 1 ? 1 : mod == 2 || has_no_base ? 4 : 0));
    return mod_rm >> 3 & 7;
}

/// A constant of 32 bits is widened to 64 with its sign.
Result<std::uint64_t> take_constant(Reader& code, unsigned size) {
    if (size == 1)
        return TRY(code.take<std::uint8_t>());
    if (size == 2)
        return TRY(code.take<le16>());
    const auto value = static_cast<std::int32_t>(std::uint32_t{TRY(code.take<le32>())});
    return static_cast<std::uint64_t>(std::int64_t{value});
}

/// What the opcode says; nothing for one that is not known.
Result<std::optional<MmioInstruction>> take_opcode(Reader& code, std::uint8_t opcode,
                                                   const Prefixes& prefixes) {
    const unsigned size = operand_size(prefixes);
    switch (opcode) {
    case 0x88: return MmioInstruction{.size = 1, .is_write = true};
    case 0x89: return MmioInstruction{.size = size, .is_write = true};
    case 0x8A: return MmioInstruction{.size = 1, .result_size = 1};
    case 0x8B: return MmioInstruction{.size = size, .result_size = size};
    case 0xC6: return MmioInstruction{.size = 1, .is_write = true, .constant = 0};
    case 0xC7: return MmioInstruction{.size = size, .is_write = true, .constant = 0};
    case 0x0F: break;
    default: return std::nullopt;
    }
    switch (TRY(code.take<std::uint8_t>())) {
    case 0xB6: return MmioInstruction{.size = 1, .result_size = size};
    case 0xB7: return MmioInstruction{.size = 2, .result_size = size};
    default: return std::nullopt;
    }
}

Result<std::optional<MmioInstruction>> decode(Bytes bytes) {
    Reader code(bytes);
    Prefixes prefixes;
    const std::uint8_t opcode = TRY(take_prefixes(code, prefixes));
    auto instruction = TRY(take_opcode(code, opcode, prefixes));
    if (!instruction)
        return std::nullopt;
    const auto field = TRY(take_memory_operand(code));
    if (!field || (instruction->constant && *field != 0))
        return std::nullopt;
    instruction->register_number = *field + ((prefixes.rex & rex_r) != 0 ? 8 : 0);
    const bool is_byte_register =
        !instruction->constant &&
        (instruction->is_write ? instruction->size == 1 : instruction->result_size == 1);
    if (is_byte_register && prefixes.rex == 0 && *field >= 4) // AH, CH, DH, BH
        return std::nullopt;
    if (instruction->constant)
        instruction->constant = TRY(take_constant(code, instruction->size));
    instruction->length = static_cast<unsigned>(code.offset());
    return instruction;
}

} // namespace

std::optional<MmioInstruction> decode_mmio(Bytes code) {
    const auto decoded = decode(code);
    return decoded ? *decoded : std::nullopt;
}

} // namespace tdshim::runtime
