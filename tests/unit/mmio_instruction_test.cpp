// SPDX-License-Identifier: Apache-2.0
//
// payload/runtime/mmio_instruction: which instructions are understood, and how.

#include "payload/runtime/mmio_instruction.hpp"

#include <string>

#include "tests/unit/support.hpp"

namespace tdshim::runtime { namespace {

using namespace tdshim::test;

/// "8: read 4 into r0/4", "" for what is not understood.
std::string decode(std::string_view dump) {
    const Blob code = Blob().dump(dump);
    const auto found = decode_mmio(code.view());
    if (!found)
        return {};
    std::string text = std::to_string(found->length) + ": ";
    text += (found->is_write ? "write " : "read ") + std::to_string(found->size);
    if (found->constant)
        return text + " #" + std::to_string(static_cast<std::int64_t>(*found->constant));
    text += (found->is_write ? " from r" : " into r") + std::to_string(found->register_number);
    return found->is_write ? text : text + "/" + std::to_string(found->result_size);
}

TEST_CASE("moves between registers and memory are decoded", "[payload]") {
    CHECK(decode("8B 00 ") == "2: read 4 into r0/4");       // mov eax, [rax]
    CHECK(decode("48 8B 0A ") == "3: read 8 into r1/8");    // mov rcx, [rdx]
    CHECK(decode("66 8B 00 ") == "3: read 2 into r0/2");    // mov ax, [rax]
    CHECK(decode("8A 00 ") == "2: read 1 into r0/1");       // mov al, [rax]
    CHECK(decode("40 8A 20 ") == "3: read 1 into r4/1");    // mov spl, [rax]
    CHECK(decode("45 8B 37 ") == "3: read 4 into r14/4");   // mov r14d, [r15]
    CHECK(decode("89 11 ") == "2: write 4 from r2");        // mov [rcx], edx
    CHECK(decode("66 41 89 3A ") == "4: write 2 from r7");  // mov [r10], di
    CHECK(decode("88 08 ") == "2: write 1 from r1");        // mov [rax], cl
    CHECK(decode("44 88 08 ") == "3: write 1 from r9");     // mov [rax], r9b
    CHECK(decode("0F B6 00 ") == "3: read 1 into r0/4");    // movzx eax, byte [rax]
    CHECK(decode("48 0F B7 00 ") == "4: read 2 into r0/8"); // movzx rax, word [rax]
}

TEST_CASE("every form of a memory operand has its length", "[payload]") {
    CHECK(decode("8B 40 10 ") == "3: read 4 into r0/4");                // [rax + 8 bits]
    CHECK(decode("8B 80 00 10 00 00 ") == "6: read 4 into r0/4");       // [rax + 32 bits]
    CHECK(decode("8B 05 00 10 00 00 ") == "6: read 4 into r0/4");       // [rip + 32 bits]
    CHECK(decode("8B 04 08 ") == "3: read 4 into r0/4");                // [rax + rcx]
    CHECK(decode("8B 04 25 00 10 00 00 ") == "7: read 4 into r0/4");    // [32 bits]
    CHECK(decode("8B 44 08 10 ") == "4: read 4 into r0/4");             // [rax + rcx + 8 bits]
    CHECK(decode("43 8B 84 2C 00 10 00 00 ") == "8: read 4 into r0/4"); // [r12 + r13 + 32 bits]
}

TEST_CASE("moves of constants to memory are decoded", "[payload]") {
    CHECK(decode("C6 00 7F ") == "3: write 1 #127");
    CHECK(decode("66 C7 00 34 12 ") == "5: write 2 #4660");
    CHECK(decode("C7 00 01 00 00 00 ") == "6: write 4 #1");
    CHECK(decode("48 C7 40 08 FF FF FF FF ") == "8: write 8 #-1");
}

TEST_CASE("whatever else stands there is not understood", "[payload]") {
    for (const char* code :
         {"", "8B ", "8B C0 " /* a register */, "8B 80 00 10 ", "8A 20 " /* AH */, "88 20 ",
          "C6 00 ", "C7 00 01 00 00 ", "C7 08 01 00 00 00 ", "01 00 " /* add */, "0F AF 00 ", "0F ",
          "66 ", "48 ", "A4 ", "F0 89 00 " /* lock */, "8B 04 "})
        CHECK(decode(code).empty());
}

}} // namespace tdshim::runtime
