# Of OpenSSL's SHA-512 for x86-64, as its generator prints it: the scalar path and AVX2's, each a function that the
# caller chooses, in place of four behind a choice by a table of libcrypto's. Each has a section that can be left out.
/OPENSSL_ia32cap_P/,/\.Lavx_shortcut/d
/^\.type[^,]*_xop,/,/^\.size[^,]*_xop,/d
/^\.type[^,]*_avx,/,/^\.size[^,]*_avx,/d
/^\.cfi_/d
/\.note\.gnu\.property/,$d
s/sha512_block_data_order_avx2/tdshim_sha512_avx2/g
s/sha512_block_data_order/tdshim_sha512_scalar/g
s/^\.type[[:space:]]*tdshim_sha512_avx2,/.section .text.tdshim_sha512_avx2,"ax",@progbits\n.globl	tdshim_sha512_avx2\n&/
