# The compilers of both sides. clang-19 is pinned because the freestanding use of libc++
# (shim/rt/libcxx) depends on the configuration names of that release.
set(CMAKE_C_COMPILER clang-19)
set(CMAKE_CXX_COMPILER clang++-19)
set(CMAKE_ASM_COMPILER clang-19)
set(CMAKE_ASM_NASM_COMPILER nasm)
set(CMAKE_AR llvm-ar-19)
set(CMAKE_RANLIB llvm-ranlib-19)
