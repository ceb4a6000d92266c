// ptrace(2) for user-mode-linux on processors with registers that it doesn't know.
//
// Linux takes a process's extended registers (NT_X86_XSTATE) only as one piece of the size that this machine's processor
// has, and user-mode-linux 6.1 has room for AVX-512 and no more: on processors with AMX its first process dies at its first
// instruction. What is beyond its room is handed over here as zeros, which is how those registers begin; a guest has no
// leave to use them. Preloaded, ld.so(8). Where the processor's registers fit, nothing is changed.

#define _GNU_SOURCE
#include <cpuid.h>
#include <elf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

// The XSAVE header's first word says which parts follow (Intel SDM, volume 1, 13.4.2); AMX's are 17 and 18 (13.1).
enum { XSTATE_PARTS = 512, MOST = 1 << 16 };
static const uint64_t AMX = UINT64_C(3) << 17;

static char whole[MOST] __attribute__((aligned(64)));

// What this processor's registers take, as XSAVE lays them out (CPUID 0Dh, EBX).
static size_t size_here(void)
{
    static unsigned size;
    unsigned a = 0, c = 0, d = 0;
    if (size == 0) {
        __cpuid_count(0xd, 0, a, size, c, d);
    }
    return size;
}

static struct iovec widened(const struct iovec *registers)
{
    uint64_t parts;
    memcpy(whole, registers->iov_base, registers->iov_len);
    memcpy(&parts, whole + XSTATE_PARTS, sizeof parts);
    parts &= ~AMX;
    memcpy(whole + XSTATE_PARTS, &parts, sizeof parts);
    return (struct iovec){.iov_base = whole, .iov_len = size_here()};
}

long ptrace(enum __ptrace_request request, ...)
{
    va_list arguments;
    va_start(arguments, request);
    pid_t pid = va_arg(arguments, pid_t);
    void *address = va_arg(arguments, void *);
    void *data = va_arg(arguments, void *);
    va_end(arguments);

    struct iovec wide;
    if (request == PTRACE_SETREGSET && (uintptr_t)address == NT_X86_XSTATE) {
        const struct iovec *registers = data;
        if (registers->iov_len > XSTATE_PARTS && registers->iov_len < size_here() && size_here() <= MOST) {
            wide = widened(registers);
            data = &wide;
        }
    }
    // As the C library does it: the kernel writes what a peek finds, and the function returns it.
    long peeked;
    int peeks = request >= PTRACE_PEEKTEXT && request <= PTRACE_PEEKUSER;
    long result = syscall(SYS_ptrace, request, pid, address, peeks ? &peeked : data);
    if (!peeks || result < 0) {
        return result;
    }
    errno = 0;
    return peeked;
}
