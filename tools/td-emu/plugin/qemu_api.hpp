// SPDX-License-Identifier: Apache-2.0
//
// The part of QEMU's TCG plugin interface that the plugin uses, version 7 [QEMU 11, TCG Plugins].
// Distributions ship no header for it; QEMU refuses to load a plugin of another version.
#pragma once

#include <cstddef>
#include <cstdint>

extern "C" {

using qemu_plugin_id_t = std::uint64_t;
struct qemu_info_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_plugin_register;
struct qemu_plugin_hwaddr;
using qemu_plugin_meminfo_t = std::uint32_t;

/// GLib's arrays, which QEMU hands over and takes.
struct GArray {
    char* data;
    unsigned len;
};
struct GByteArray {
    std::uint8_t* data;
    unsigned len;
};
GByteArray* g_byte_array_new();
GByteArray* g_byte_array_set_size(GByteArray*, unsigned);
unsigned g_array_get_element_size(GArray*);

struct qemu_plugin_reg_descriptor {
    qemu_plugin_register* handle;
    const char* name;
    const char* feature;
};

enum qemu_plugin_cb_flags {
    QEMU_PLUGIN_CB_NO_REGS = 0,
    QEMU_PLUGIN_CB_R_REGS = 1,
    QEMU_PLUGIN_CB_RW_REGS = 2,
    QEMU_PLUGIN_CB_RW_REGS_PC = 3,
};
struct qemu_plugin_mem_value {
    unsigned type;
    union {
        std::uint8_t u8;
        std::uint16_t u16;
        std::uint32_t u32;
        std::uint64_t u64;
        struct {
            std::uint64_t low, high;
        } u128;
    } data;
};

enum qemu_plugin_mem_rw { QEMU_PLUGIN_MEM_W = 2, QEMU_PLUGIN_MEM_RW = 3 };

/// A value for each vCPU, which translated code changes without a call.
struct qemu_plugin_scoreboard;
struct qemu_plugin_u64 {
    qemu_plugin_scoreboard* score;
    std::size_t offset;
};
enum qemu_plugin_cond { QEMU_PLUGIN_COND_NE = 3 };
enum qemu_plugin_op { QEMU_PLUGIN_INLINE_ADD_U64 = 0, QEMU_PLUGIN_INLINE_STORE_U64 = 1 };
qemu_plugin_scoreboard* qemu_plugin_scoreboard_new(std::size_t);
void qemu_plugin_register_vcpu_insn_exec_inline_per_vcpu(qemu_plugin_insn*, qemu_plugin_op,
                                                         qemu_plugin_u64, std::uint64_t);
void qemu_plugin_register_vcpu_tb_exec_inline_per_vcpu(qemu_plugin_tb*, qemu_plugin_op,
                                                       qemu_plugin_u64, std::uint64_t);
std::uint64_t qemu_plugin_u64_get(qemu_plugin_u64, unsigned vcpu);
void qemu_plugin_u64_set(qemu_plugin_u64, unsigned vcpu, std::uint64_t);

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t, void (*)(qemu_plugin_tb*, void*),
                                           void*);
void qemu_plugin_register_atexit_cb(qemu_plugin_id_t, void (*)(qemu_plugin_id_t, void*), void*);
std::size_t qemu_plugin_tb_n_insns(const qemu_plugin_tb*);
qemu_plugin_insn* qemu_plugin_tb_get_insn(const qemu_plugin_tb*, std::size_t);
std::size_t qemu_plugin_insn_data(const qemu_plugin_insn*, void*, std::size_t);
std::uint64_t qemu_plugin_insn_vaddr(const qemu_plugin_insn*);
void qemu_plugin_register_vcpu_insn_exec_cb(qemu_plugin_insn*, void (*)(unsigned, void*),
                                            qemu_plugin_cb_flags, void*);
void qemu_plugin_register_vcpu_tb_exec_cb(qemu_plugin_tb*, void (*)(unsigned, void*),
                                          qemu_plugin_cb_flags, void*);
void qemu_plugin_register_vcpu_tb_exec_cond_cb(qemu_plugin_tb*, void (*)(unsigned, void*),
                                               qemu_plugin_cb_flags, qemu_plugin_cond,
                                               qemu_plugin_u64, std::uint64_t, void*);
void qemu_plugin_register_vcpu_mem_cb(qemu_plugin_insn*,
                                      void (*)(unsigned, qemu_plugin_meminfo_t, std::uint64_t,
                                               void*),
                                      qemu_plugin_cb_flags, qemu_plugin_mem_rw, void*);
qemu_plugin_hwaddr* qemu_plugin_get_hwaddr(qemu_plugin_meminfo_t, std::uint64_t);
bool qemu_plugin_hwaddr_is_io(const qemu_plugin_hwaddr*);
std::uint64_t qemu_plugin_hwaddr_phys_addr(const qemu_plugin_hwaddr*);
unsigned qemu_plugin_mem_size_shift(qemu_plugin_meminfo_t);
bool qemu_plugin_mem_is_store(qemu_plugin_meminfo_t);
/// What was read or written, by the size that qemu_plugin_mem_size_shift() tells.
qemu_plugin_mem_value qemu_plugin_mem_get_value(qemu_plugin_meminfo_t);
GArray* qemu_plugin_get_registers();
int qemu_plugin_read_register(qemu_plugin_register*, GByteArray*);
int qemu_plugin_write_register(qemu_plugin_register*, GByteArray*);
/// 0: done.
int qemu_plugin_read_memory_hwaddr(std::uint64_t, GByteArray*, std::size_t);
int qemu_plugin_write_memory_hwaddr(std::uint64_t, GByteArray*);
bool qemu_plugin_read_memory_vaddr(std::uint64_t, GByteArray*, std::size_t);
bool qemu_plugin_write_memory_vaddr(std::uint64_t, GByteArray*);
[[noreturn]] void qemu_plugin_set_pc(std::uint64_t);
}
