"""The list of system calls: what no notebook needs is refused, and the filter and the profile say the same."""

import errno
import json
import socket
import struct
from collections.abc import Iterator

import pytest
import seccompy

from harness.sandbox import system_calls

pytestmark = pytest.mark.skipif(not system_calls.is_supported(), reason="no list for this processor")

ALLOW, ERRNO, NOT_THERE = 0x7FFF0000, 0x00050000, None
MASK_32 = 0xFFFFFFFF


def answer(name: str, *arguments: int, arch: int | None = None) -> int | None:
    """What the filter returns for a call: 0 allowed, else its errno. Interprets the program as the kernel does."""
    values = [*arguments, *[0] * (6 - len(arguments))]
    number = seccompy.syscall_nr(name)
    data = struct.pack("<IIQ6Q", number, seccompy.audit_arch() if arch is None else arch, 0, *values)
    instructions = list(struct.iter_unpack("<HBBI", system_calls.program()))
    at = accumulator = 0
    while True:
        code, if_true, if_false, k = instructions[at]
        at += 1
        match code:
            case 0x20:  # load a word
                [accumulator] = struct.unpack_from("<I", data, k)
            case 0x54:  # and
                accumulator &= k
            case 0x05:  # jump
                at += k
            case 0x15 | 0x25 | 0x35 | 0x45:
                holds = {0x15: accumulator == k, 0x25: accumulator > k, 0x35: accumulator >= k, 0x45: accumulator & k}
                at += if_true if holds[code] else if_false
            case 0x06:
                return 0 if k == ALLOW else k & 0xFFFF if k & 0xFFFF0000 == ERRNO else -k
            case _:
                raise AssertionError(f"an instruction that is not known: {code:#x}")


PROFILE = json.loads(system_calls.docker_profile())


def in_profile(name: str, *arguments: int) -> bool:
    """Whether Docker's profile allows the call."""
    values = [*arguments, *[0] * (6 - len(arguments))]
    for rule in PROFILE["syscalls"]:
        if name not in rule["names"] or rule["action"] != "SCMP_ACT_ALLOW":
            continue
        if all(_holds(one, values[one["index"]]) for one in rule.get("args", ())):
            return True
    return False


def _holds(one: dict, value: int) -> bool:
    if one["op"] == "SCMP_CMP_EQ":
        return value == one["value"]
    assert one["op"] == "SCMP_CMP_MASKED_EQ"
    return value & one["value"] == one["valueTwo"]


def known() -> Iterator[str]:
    for number in range(600):
        try:
            yield seccompy.syscall_name(number)
        except ValueError:
            continue


_REFUSED = """
    ptrace process_vm_readv process_vm_writev pidfd_getfd kcmp keyctl add_key request_key userfaultfd io_uring_setup
    io_uring_enter io_uring_register bpf perf_event_open unshare setns mount umount2 pivot_root chroot vmsplice
    memfd_secret init_module finit_module delete_module kexec_load reboot swapon swapoff clock_settime settimeofday
    adjtimex clock_adjtime syslog acct quotactl open_by_handle_at name_to_handle_at fanotify_init move_pages
    migrate_pages mbind set_mempolicy get_mempolicy mount_setattr fsopen fsmount move_mount open_tree sethostname
    setdomainname nfsservctl lookup_dcookie seccomp landlock_create_ruleset
"""


@pytest.mark.parametrize("name", _REFUSED.split())
def test_what_no_notebook_needs_is_refused(name: str):
    if name not in set(known()):
        pytest.skip("not on this processor")
    assert answer(name) == errno.EPERM and not in_profile(name)


NEEDED = "read write openat mmap munmap execve fork clone wait4 futex getrandom exit_group kill socketpair connect"


@pytest.mark.parametrize("name", NEEDED.split())
def test_what_python_needs_is_allowed(name: str):
    if name in set(known()):
        assert answer(name) == 0 and in_profile(name)


def test_filter_and_profile_allow_the_same_calls():
    """But for pinning, which a control group bounds under Docker and which here is answered and not done."""
    names = set(known()) - {"sched_setaffinity"}
    assert {name for name in names if answer(name) == 0} == {name for name in names if in_profile(name)}
    assert answer("sched_setaffinity") == 0 and in_profile("sched_setaffinity")
    assert PROFILE["defaultAction"] == "SCMP_ACT_ERRNO"


@pytest.mark.parametrize("name", ["clone3", "set_mempolicy_home_node", "lsm_get_self_attr", "lsm_list_modules"])
def test_what_libraries_try_first_is_not_there(name: str):
    assert answer(name) == errno.ENOSYS
    [rule] = [rule for rule in PROFILE["syscalls"] if name in rule["names"]]
    assert (rule["action"], rule["errnoRet"]) == ("SCMP_ACT_ERRNO", errno.ENOSYS)


FAMILIES = {
    (socket.AF_UNIX, 1, 0): True,
    (socket.AF_INET, 1, 0): True,
    (socket.AF_INET6, 2, 0): True,
    (socket.AF_NETLINK, 3, socket.NETLINK_ROUTE): True,
    (socket.AF_NETLINK, 3, 9): False,  # audit
    (socket.AF_PACKET, 3, 0): False,
    (socket.AF_VSOCK, 1, 0): False,
    (socket.AF_ALG, 5, 0): False,
}


@pytest.mark.parametrize("arguments", FAMILIES)
def test_sockets_of_four_families(arguments: tuple[int, ...]):
    assert (answer("socket", *arguments) == 0, in_profile("socket", *arguments)) == (FAMILIES[arguments],) * 2
    assert FAMILIES[arguments] or answer("socket", *arguments) == errno.EAFNOSUPPORT


NAMESPACES = {"cgroup": 1 << 25, "uts": 1 << 26, "ipc": 1 << 27, "user": 1 << 28, "pid": 1 << 29, "net": 1 << 30}
NAMESPACES["mount"] = 0x00020000


@pytest.mark.parametrize("kind", NAMESPACES)
@pytest.mark.parametrize("beside", [0, 17, 0x003D0F00 & ~0x00020000])  # SIGCHLD; what makes a thread
def test_a_clone_makes_no_namespace(kind: str, beside: int):
    assert answer("clone", beside) == 0 and in_profile("clone", beside)
    flags = beside | NAMESPACES[kind]
    assert answer("clone", flags) == errno.EPERM and not in_profile("clone", flags)


@pytest.mark.parametrize(("name", "argument", "allowed"), [
    ("prlimit64", 0, True), ("prlimit64", 1, False), ("personality", 0, True), ("personality", 8, True),
    ("personality", 0x20000, True), ("personality", 0x20008, True), ("personality", MASK_32, True),
    ("personality", 0x40000, False), ("personality", 0x0400000, False),
])  # fmt: skip
def test_calls_that_are_allowed_for_some_arguments(name: str, argument: int, allowed: bool):
    assert (answer(name, argument) == 0, in_profile(name, argument)) == (allowed, allowed)


def test_another_processors_calls_are_refused():
    assert answer("read", arch=0x40000003) not in (0, None)  # 32-bit x86
    assert PROFILE["architectures"] == ["SCMP_ARCH_X86_64", "SCMP_ARCH_AARCH64"]
