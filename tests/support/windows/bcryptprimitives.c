/* For tests under wine only. Rust's std takes its random bytes from bcryptprimitives.dll, which wine 8 does not have.
 * This one hands the request on to advapi32, whose SystemFunction036 (RtlGenRandom) wine implements. */
#include <windows.h>

BOOLEAN NTAPI SystemFunction036(PVOID buffer, ULONG length);

__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T length)
{
    const SIZE_T most = (SIZE_T)1 << 28; /* the callee counts in 32 bits */
    while (length > 0) {
        const SIZE_T part = length < most ? length : most;
        if (!SystemFunction036(data, (ULONG)part))
            return FALSE;
        data += part;
        length -= part;
    }
    return TRUE;
}
