//! Vector registers, through which every copy of memory and every search in it goes, and in which the last 16 to 64
//! bytes of it stay until something else is copied. A thread that sleeps then shows them to whoever dumps the process.

/// Empties the vector registers that a function may use as it likes.
///
/// Found by a core dump on x86-64, and done there: the only kind of processor that the library is tested on.
pub(in super::super) fn forget_vectors() {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::{asm, is_x86_feature_detected};

        // SAFETY: in each of the three, the registers that are written are among those named as clobbered, and the
        // processor was asked for the instructions. (Every x86-64 has those of the last one.)
        unsafe {
            if is_x86_feature_detected!("avx512f") {
                asm!(
                    "vpxord zmm16, zmm16, zmm16",
                    "vpxord zmm17, zmm17, zmm17",
                    "vpxord zmm18, zmm18, zmm18",
                    "vpxord zmm19, zmm19, zmm19",
                    "vpxord zmm20, zmm20, zmm20",
                    "vpxord zmm21, zmm21, zmm21",
                    "vpxord zmm22, zmm22, zmm22",
                    "vpxord zmm23, zmm23, zmm23",
                    "vpxord zmm24, zmm24, zmm24",
                    "vpxord zmm25, zmm25, zmm25",
                    "vpxord zmm26, zmm26, zmm26",
                    "vpxord zmm27, zmm27, zmm27",
                    "vpxord zmm28, zmm28, zmm28",
                    "vpxord zmm29, zmm29, zmm29",
                    "vpxord zmm30, zmm30, zmm30",
                    "vpxord zmm31, zmm31, zmm31",
                    clobber_abi("sysv64"),
                    options(nomem, nostack)
                );
            }
            if is_x86_feature_detected!("avx") {
                asm!("vzeroall", clobber_abi("sysv64"), options(nomem, nostack));
            } else {
                asm!(
                    "pxor xmm0, xmm0",
                    "pxor xmm1, xmm1",
                    "pxor xmm2, xmm2",
                    "pxor xmm3, xmm3",
                    "pxor xmm4, xmm4",
                    "pxor xmm5, xmm5",
                    "pxor xmm6, xmm6",
                    "pxor xmm7, xmm7",
                    "pxor xmm8, xmm8",
                    "pxor xmm9, xmm9",
                    "pxor xmm10, xmm10",
                    "pxor xmm11, xmm11",
                    "pxor xmm12, xmm12",
                    "pxor xmm13, xmm13",
                    "pxor xmm14, xmm14",
                    "pxor xmm15, xmm15",
                    clobber_abi("sysv64"),
                    options(nomem, nostack)
                );
            }
        }
    }
}
