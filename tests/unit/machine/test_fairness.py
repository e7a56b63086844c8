"""The checks of `harness doctor --timing`, on made-up machines."""

import pytest

from harness.bench.machine.fairness import cgroup_folders, checks, processor, unfair


def write(root, files):
    for name, text in files.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return root


CPU = "sys/devices/system/cpu"
FAIR = {
    "proc/swaps": "Filename Type Size Used Priority\n",
    f"{CPU}/smt/active": "0\n",
    f"{CPU}/cpu0/cpufreq/scaling_governor": "performance\n",
    f"{CPU}/cpu1/cpufreq/scaling_governor": "performance\n",
    f"{CPU}/cpu0/cpufreq/cpuinfo_max_freq": "3000000\n",
    f"{CPU}/cpu1/cpufreq/cpuinfo_max_freq": "3000000\n",
    f"{CPU}/cpufreq/boost": "0\n",
    "proc/sys/kernel/randomize_va_space": "0\n",
    "sys/kernel/mm/transparent_hugepage/enabled": "always [madvise] never\n",
    "proc/cpuinfo": "model name\t: Xeon\nflags\t\t: fpu vme\n",
    "proc/stat": "cpu  10 0 10 80 0 0 0 0 0 0\n",
    "proc/loadavg": "0.05 0.1 0.1 1/100 5\n",
}


NAMES = (
    "swap", "SMT", "frequency scaling", "boost", "address randomisation", "transparent huge pages", "mixed cores",
    "shared host", "load",
)  # fmt: skip
SWAPPING = "Filename Type Size Used Priority\n/dev/sda2 partition 1000 500 -2\n"
STOLEN = {"proc/cpuinfo": "flags : fpu hypervisor\n", "proc/stat": "cpu  10 0 10 70 0 0 0 10\n"}
HUGE = {"sys/kernel/mm/transparent_hugepage/enabled": "[always] madvise never"}


def test_a_fair_machine(tmp_path):
    assert {check.name: check.fair for check in checks(write(tmp_path, FAIR))} == dict.fromkeys(NAMES, True)
    assert unfair(tmp_path) == ()
    assert processor(tmp_path) == "Xeon"


@pytest.mark.parametrize(
    ("name", "files", "detail", "do"),
    [
        ("swap", {"proc/swaps": SWAPPING}, "on", "swapoff"),
        ("SMT", {f"{CPU}/smt/active": "1"}, "two threads", "smt/control"),
        ("frequency scaling", {f"{CPU}/cpu1/cpufreq/scaling_governor": "schedutil"}, "schedutil", "cpupower"),
        ("boost", {f"{CPU}/cpufreq/boost": "1"}, "on", "cpufreq/boost"),
        ("boost", {f"{CPU}/intel_pstate/no_turbo": "0"}, "on", "no_turbo"),
        ("address randomisation", {"proc/sys/kernel/randomize_va_space": "2"}, "layout", "sysctl"),
        ("transparent huge pages", HUGE, "always", "madvise"),
        ("mixed cores", {f"{CPU}/cpu1/cpufreq/cpuinfo_max_freq": "2000000"}, "2 kinds", "taskset"),
        ("shared host", STOLEN, "10.0%", "own"),
        ("load", {"proc/loadavg": "1.9 1 1 2/100 5"}, "1.9 on 2 cores", "top"),
    ],
)  # fmt: skip
def test_one_thing_unfair_is_named_with_what_mends_it(name, files, detail, do, tmp_path):
    found = [check for check in checks(write(tmp_path, FAIR | files)) if check.fair is False]
    assert [check.name for check in found] == [name]
    assert detail in found[0].detail and do in found[0].do


def test_a_machine_that_tells_nothing_is_neither_fair_nor_unfair(tmp_path):
    silent = {check.name: check.fair for check in checks(tmp_path)}
    assert {silent[name] for name in ("SMT", "frequency scaling", "boost", "mixed cores", "load")} == {None}


@pytest.mark.parametrize(
    ("lines", "places"),
    [
        ("0::/a/b\n", ["sys/fs/cgroup/a/b", "sys/fs/cgroup/a", "sys/fs/cgroup"]),
        ("4:cpu,cpuacct:/a\n1:memory:/m\n", ["sys/fs/cgroup/cpu,cpuacct/a", "sys/fs/cgroup/cpu,cpuacct"]),
    ],
)
def test_the_control_groups_around_a_process(lines, places, tmp_path):
    write(tmp_path, {"proc/self/cgroup": lines} | {f"{place}/cpu.stat": "nr_throttled 0\n" for place in places})
    assert [str(folder.relative_to(tmp_path)) for folder in cgroup_folders(tmp_path)] == places
