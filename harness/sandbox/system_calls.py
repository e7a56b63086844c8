"""The system calls that a job may make: one list, as a filter for bubblewrap and a profile for Docker.

Others are refused. The list is Docker's default profile for a container without capabilities, less calls that
no honest notebook needs and that have had kernel bugs: `ptrace`,
`process_vm_*`, `pidfd_getfd`, `kcmp`, keys, `userfaultfd`, `io_uring`, `bpf`, `perf_event_open`, new or other
namespaces, mounts, `vmsplice`, `memfd_secret`. Other processors' calls (32-bit and x32 programs) do not exist.
"""

from __future__ import annotations

import errno
import functools
import json
import socket
from dataclasses import dataclass

import seccompy

_ALLOWED_NAMES = """
    accept accept4 access alarm arch_prctl bind brk cachestat capget capset chdir chmod chown clock_getres
    clock_gettime clock_nanosleep close close_range connect copy_file_range creat dup dup2 dup3 epoll_create
    epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait epoll_wait_old eventfd eventfd2
    execve execveat exit exit_group faccessat faccessat2 fadvise64 fallocate fchdir fchmod fchmodat fchmodat2
    fchown fchownat fcntl fdatasync fgetxattr flistxattr flock fork fremovexattr fsetxattr fstat fstatfs fsync
    ftruncate futex futex_requeue futex_wait futex_waitv futex_wake futimesat getcpu getcwd getdents getdents64
    getegid geteuid getgid getgroups getitimer getpeername getpgid getpgrp getpid getppid getpriority getrandom
    getresgid getresuid getrlimit getrusage getsid getsockname getsockopt get_robust_list get_thread_area gettid
    gettimeofday getuid getxattr inotify_add_watch inotify_init inotify_init1 inotify_rm_watch io_cancel
    io_destroy io_getevents io_pgetevents io_setup io_submit ioctl ioprio_get ioprio_set kill lchown lgetxattr
    link linkat listen listxattr llistxattr lremovexattr lseek lsetxattr lstat madvise map_shadow_stack membarrier
    memfd_create mincore mkdir mkdirat mknod mknodat mlock mlock2 mlockall mmap mprotect mq_getsetattr mq_notify
    mq_open mq_timedreceive mq_timedsend mq_unlink mremap msgctl msgget msgrcv msgsnd mseal msync munlock
    munlockall munmap nanosleep newfstatat open openat openat2 pause pidfd_open pidfd_send_signal pipe pipe2
    pkey_alloc pkey_free pkey_mprotect poll ppoll prctl pread64 preadv preadv2 process_mrelease pselect6 pwrite64
    pwritev pwritev2 read readahead readlink readlinkat readv recvfrom recvmmsg recvmsg remap_file_pages
    removexattr rename renameat renameat2 restart_syscall rmdir rseq rt_sigaction rt_sigpending rt_sigprocmask
    rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_tgsigqueueinfo sched_getaffinity sched_getattr
    sched_getparam sched_get_priority_max sched_get_priority_min sched_getscheduler sched_rr_get_interval
    sched_setattr sched_setparam sched_setscheduler sched_yield select semctl semget semop semtimedop sendfile
    sendmmsg sendmsg sendto setfsgid setfsuid setgid setgroups setitimer setpgid setpriority setregid setresgid
    setresuid setreuid setrlimit set_robust_list setsid setsockopt set_thread_area set_tid_address setuid setxattr
    shmat shmctl shmdt shmget shutdown sigaltstack signalfd signalfd4 socketpair splice stat statfs statx symlink
    symlinkat sync sync_file_range syncfs sysinfo tee tgkill time timer_create timer_delete timer_getoverrun
    timer_gettime timer_settime timerfd_create timerfd_gettime timerfd_settime times tkill truncate umask uname
    unlink unlinkat utime utimensat utimes vfork wait4 waitid write writev
"""
_ALLOWED = frozenset(_ALLOWED_NAMES.split())
# glibc and others try these first, and fall back on ENOSYS.
_MISSING = frozenset({"clone3", "set_mempolicy_home_node", "lsm_get_self_attr", "lsm_list_modules"})

_PINS = "sched_setaffinity"  # allowed where a control group limits the cores, as with Docker

_NEW_NAMESPACES = 0x7E020000  # CLONE_NEWCGROUP, -UTS, -IPC, -USER, -PID, -NET and -NS
_HIGHEST_NUMBER = 1024


@dataclass(frozen=True, slots=True)
class _Argument:
    """Argument `index` of a call, under `mask` if there is one, equals `value`."""

    index: int
    value: int
    mask: int | None = None

    def for_seccompy(self) -> seccompy.ArgCmp:
        if self.mask is None:
            return seccompy.ArgCmp(self.index, seccompy.CmpOp.EQ, self.value)
        return seccompy.ArgCmp(self.index, seccompy.CmpOp.MASKED_EQ, self.value, self.mask)

    def for_docker(self) -> dict[str, object]:
        if self.mask is None:
            return {"index": self.index, "value": self.value, "op": "SCMP_CMP_EQ"}
        return {"index": self.index, "value": self.mask, "valueTwo": self.value, "op": "SCMP_CMP_MASKED_EQ"}


# Allowed if all arguments match; several lines for one call are alternatives.
_CONDITIONS: tuple[tuple[str, tuple[_Argument, ...]], ...] = (
    *(("socket", (_Argument(0, family),)) for family in (socket.AF_UNIX, socket.AF_INET, socket.AF_INET6)),
    ("socket", (_Argument(0, socket.AF_NETLINK), _Argument(2, socket.NETLINK_ROUTE))),  # libzmq lists interfaces
    ("clone", (_Argument(0, 0, _NEW_NAMESPACES),)),
    ("prlimit64", (_Argument(0, 0),)),  # its own limits, not the runner's
    *(("personality", (_Argument(0, value),)) for value in (0, 0x8, 0x20000, 0x20008, 0xFFFFFFFF)),
)


def is_supported() -> bool:
    """Whether a filter can be made for this processor: x86-64 or 64-bit ARM."""
    try:
        seccompy.audit_arch()
    except seccompy.UnsupportedError:
        return False
    return True


@functools.cache
def program() -> bytes:
    """The filter as the kernel's BPF instructions, for `bwrap --seccomp`.

    A known call that is not allowed fails with EPERM, an unknown call with ENOSYS, so that a newer libc falls back.
    Raises `seccompy.UnsupportedError` where `is_supported` is False.
    """
    rules = seccompy.Filter(default=seccompy.Action.ERRNO | errno.ENOSYS)
    conditional = {name for name, _ in _CONDITIONS}
    for name in _known():
        if name in _ALLOWED:
            rules.allow(name)
        elif name not in conditional and name not in _MISSING and name != _PINS:
            rules.errno(name, errno.EPERM)
    for name, arguments in _CONDITIONS:
        rules.allow(name, args=[argument.for_seccompy() for argument in arguments])
    # Returns success without effect: the harness chose the cores, and libraries that pin threads should not fail.
    rules.errno(_PINS, 0)
    for name in sorted(conditional):
        rules.errno(name, errno.EAFNOSUPPORT if name == "socket" else errno.EPERM)
    return rules.program


def _known() -> list[str]:
    names = []
    for number in range(_HIGHEST_NUMBER):
        try:
            names.append(seccompy.syscall_name(number))
        except ValueError:
            continue
    return names


def docker_profile() -> str:
    """The same list as JSON for Docker's `--security-opt seccomp=`, by name; libseccomp translates to numbers."""
    allow = "SCMP_ACT_ALLOW"
    rules: list[dict[str, object]] = [
        {"names": sorted(_ALLOWED | {_PINS}), "action": allow},
        {"names": sorted(_MISSING), "action": "SCMP_ACT_ERRNO", "errnoRet": errno.ENOSYS},
    ]
    for name, arguments in _CONDITIONS:
        rules.append({"names": [name], "action": allow, "args": [argument.for_docker() for argument in arguments]})
    profile = {
        "defaultAction": "SCMP_ACT_ERRNO",
        "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_AARCH64"],
        "syscalls": rules,
    }
    return json.dumps(profile)
