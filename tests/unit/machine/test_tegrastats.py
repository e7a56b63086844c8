"""Lines that tegrastats wrote on each board family, from public issues, logs and other tools' tests."""

import stat
import time

import pytest

from harness.bench.machine.tegrastats import (
    Recorder,
    Stamped,
    energy_mj,
    mean_power_mw,
    parse,
    parse_power_mode,
)

NANO = (
    "RAM 1923/3964MB (lfb 2x2MB) SWAP 191/1982MB (cached 6MB) IRAM 0/252kB(lfb 252kB) CPU [5%@1224,4%@1224,3%@1224,"
    "6%@1224] EMC_FREQ 0%@1600 GR3D_FREQ 0%@76 APE 25 PLL@37C CPU@40C PMIC@50C GPU@40C AO@45C thermal@40C "
    "POM_5V_IN 1750/1628 POM_5V_GPU 0/0 POM_5V_CPU 366/406"
)
NANO_2GB = (  # no power monitor
    "RAM 1180/1979MB (lfb 4x2MB) SWAP 30/5085MB (cached 2MB) CPU [12%@1479,9%@1479,off,off] EMC_FREQ 3%@1600 "
    "GR3D_FREQ 41%@921 APE 25 PLL@31.5C CPU@34C iwlwifi@43C PMIC@100C GPU@32.5C AO@38.5C thermal@33.25C"
)
TX2 = (
    "RAM 3276/7859MB (lfb 5x4MB) SWAP 1626/12122MB (cached 181MB) CPU [44%@1421,49%@2031,67%@2034,17%@1420,25%@1419,"
    "8%@1420] EMC_FREQ 1%@1866 GR3D_FREQ 0%@114 APE 150 MTS fg 1% bg 1% PLL@42.5C MCPU@42.5C PMIC@50C Tboard@38C "
    "GPU@39.5C BCPU@42.5C thermal@41.3C Tdiode@39.25C VDD_SYS_GPU 182/182 VDD_SYS_SOC 730/730 VDD_4V0_WIFI 0/0 "
    "VDD_IN 5297/5297 VDD_SYS_CPU 1917/1917 VDD_SYS_DDR 1241/1241"
)
XAVIER_NX = (
    "RAM 5246/7771MB (lfb 7x4MB) SWAP 983/20269MB (cached 280MB) CPU [47%@1420,23%@1420,32%@1420,22%@1420,31%@1420,"
    "96%@1420] EMC_FREQ 2%@1600 GR3D_FREQ 0%@1109 APE 150 MTS fg 1% bg 9% AO@29C GPU@31.5C PMIC@100C AUX@30C "
    "CPU@33.5C thermal@31.35C VDD_IN 6140/5510 VDD_CPU_GPU_CV 2706/2119 VDD_SOC 1074/1051"
)
AGX_XAVIER = (
    "RAM 721/31927MB (lfb 7291x4MB) SWAP 0/15963MB (cached 0MB) CPU [2%@1190,0%@1190,0%@1190,0%@1190,off,off,off,"
    "off] EMC_FREQ 0%@665 GR3D_FREQ 0%@318 APE 150 MTS fg 0% bg 0% AO@37.5C GPU@37.5C Tdiode@40C PMIC@100C AUX@36C "
    "CPU@37.5C thermal@36.9C Tboard@37C GPU 0/0 CPU 311/311 SOC 932/932 CV 0/0 VDDRQ 621/621 SYS5V 1482/1482"
)
ORIN_NANO = (
    "RAM 3121/7620MB (lfb 4x4MB) SWAP 0/3810MB (cached 0MB) CPU [1%@729,0%@729,0%@729,0%@729,0%@729,2%@729] "
    "GR3D_FREQ 62%@612 cpu@47.75C soc2@46.718C soc0@47.25C gpu@50C tj@50C soc1@48.093C VDD_IN 4541mW/4541mW "
    "VDD_CPU_GPU_CV 521mW/521mW VDD_SOC 1446mW/1473mW"
)
ORIN_NX = (
    "07-28-2026 20:28:42 RAM 3941/15656MB (lfb 6x4MB) SWAP 0/24212MB (cached 0MB) CPU [1%@1984,7%@1984,3%@1984,"
    "2%@1984,0%@1984,5%@1984,1%@1984,2%@1984] GR3D_FREQ 0% cv0@-256C cpu@52.375C soc2@45.531C soc0@48.25C "
    "cv1@-256C gpu@50C tj@52.375C soc1@46.156C cv2@-256C VDD_IN 7956mW/7956mW VDD_CPU_GPU_CV 2363mW/2363mW "
    "VDD_SOC 2506mW/2506mW"
)
AGX_ORIN = (
    "07-25-2026 09:08:28 RAM 20642/62817MB (lfb 1x2MB) CPU [23%@2201,10%@2201,4%@2201,14%@2201,30%@2201,18%@2201,"
    "10%@2201,10%@2201,33%@2201,7%@2201,5%@2201,27%@2201] EMC_FREQ 3%@3199 GR3D_FREQ 12%@[1300,1300] NVENC0 off "
    "NVDEC0 off NVDLA0 off PVA0_FREQ off APE 174 cpu@52.968C/52.968C soc2@48.406C/48.406C gpu@47.625C/47.625C "
    "VDD_GPU_SOC 5139mW/5139mW/5139mW VDD_CPU_CV 3268mW/3268mW/3268mW VIN_SYS_5V0 5500mW/5500mW/5500mW"
)


@pytest.mark.parametrize(
    ("line", "ram", "cores", "gpu", "hottest", "power"),
    [
        (NANO, (1923, 3964), 4, (0, 76), 45.0, 1750),
        (NANO_2GB, (1180, 1979), 2, (41, 921), 43.0, None),
        (TX2, (3276, 7859), 6, (0, 114), 42.5, 5297),
        (XAVIER_NX, (5246, 7771), 6, (0, 1109), 33.5, 6140),
        (AGX_XAVIER, (721, 31927), 4, (0, 318), 40.0, 311 + 932 + 621 + 1482),
        (ORIN_NANO, (3121, 7620), 6, (62, 612), 50.0, 4541),
        (ORIN_NX, (3941, 15656), 8, (0, None), 52.375, 7956),
        (AGX_ORIN, (20642, 62817), 12, (12, 1300), 52.968, 5139 + 3268 + 5500),
    ],
    ids=["nano", "nano-2gb", "tx2", "xavier-nx", "agx-xavier", "orin-nano", "orin-nx", "agx-orin"],
)
def test_a_line_of_each_board_family(line, ram, cores, gpu, hottest, power):
    reading = parse(line)
    assert (reading.ram_used_mb, reading.ram_total_mb) == ram
    assert len(reading.cpu_mhz) == cores and all(300 < mhz < 2300 for mhz in reading.cpu_mhz)
    assert (reading.gpu_load_percent, reading.gpu_mhz) == gpu
    assert max(reading.temperatures_c.values()) == hottest
    assert reading.power_mw == power


def test_memory_is_no_rail_and_a_constant_is_no_temperature():
    reading = parse(NANO)
    assert set(reading.rails_mw) == {"POM_5V_IN", "POM_5V_GPU", "POM_5V_CPU"}
    assert "pmic" not in reading.temperatures_c and reading.temperatures_c["gpu"] == 40.0


def test_what_is_no_line_of_tegrastats():
    assert parse("") is None
    assert parse("tegrastats: Can't open /sys/kernel/debug/bpmp: run as root") is None


def test_an_old_release_gives_one_clock_for_all_cores():
    assert parse("RAM 1100/3984MB (lfb 1x4MB) cpu [0%]").cpu_mhz == ()
    assert parse("RAM 1100/3984MB (lfb 1x4MB) CPU [25%,off,off,3%]@1734 GR3D_FREQ 0%").cpu_mhz == (1734, 1734)


def test_the_first_releases_write_small_letters_and_gr3d():
    """L4T 28 on a TX1."""
    reading = parse("RAM 3607/3983MB (lfb 47x4MB) cpu [17%,11%,65%,0%]@1734 EMC 1%@1600 APE 25 GR3D 39%@76")
    assert reading.cpu_mhz == (1734,) * 4
    assert (reading.gpu_load_percent, reading.gpu_mhz, reading.power_mw) == (39, 76, None)


def test_an_idle_thor_meters_its_input():
    reading = parse(
        "08-08-2026 20:58:23 RAM 3429/125749MB (lfb 120x4MB) CPU [0%,5%,off]@2601 EMC_FREQ @4266 "
        "GR3D_FREQ @[1574,1574,1574] tj@51.218C/51.218C VDD_GPU 6330mW/6330mW/6330mW VIN 28906mW/14453mW/28906mW"
    )
    assert (reading.gpu_load_percent, reading.gpu_mhz, reading.power_mw) == (None, 1574, 28906)


@pytest.mark.parametrize("off", ["GR3D_FREQ off", "GR3D_FREQ N/A", "GR3D_FREQ", ""])
def test_a_gpu_that_is_off_has_no_load(off):
    reading = parse(f"RAM 1/2MB (lfb 1x4MB) CPU [12%@1.42,off,6%@N/A] {off}".strip())
    assert (reading.gpu_load_percent, reading.gpu_mhz, reading.cpu_mhz) == (None, None, ())


def test_energy_is_what_is_above_the_idle_board():
    readings = [Stamped(at, parse(ORIN_NANO)) for at in (0.0, 0.1, 0.2)]
    readings += [Stamped(9.0, parse(ORIN_NX))]
    assert mean_power_mw(readings, 0.05, 0.25) == 4541
    assert mean_power_mw(readings, 1.0, 2.0) is None
    assert energy_mj(4541, 4041, seconds=2.0, inferences=100) == pytest.approx(10.0)
    assert energy_mj(4000, 4041, 2.0, 100) == 0.0


def test_the_recorder_reads_a_running_tegrastats_and_ends_it(tmp_path):
    program = tmp_path / "tegrastats"
    program.write_text(
        f"#!/bin/sh\n[ \"$1 $2\" = '--interval 100' ] || exit 9\nwhile :; do echo '{NANO}'; sleep 0.1; done\n"
    )
    program.chmod(program.stat().st_mode | stat.S_IEXEC)
    recorder = Recorder(str(program))
    with recorder:
        deadline = time.monotonic() + 20
        while len(recorder.readings) < 3 and time.monotonic() < deadline:
            time.sleep(0.05)
    seen = len(recorder.readings)
    assert seen >= 3 and recorder.readings[0].reading.power_mw == 1750
    time.sleep(0.3)
    assert len(recorder.readings) == seen, "it has ended"


@pytest.mark.parametrize(
    ("said", "mode"),
    [
        ("NVPM WARN: fan mode is not set!\nNV Power Mode: MAXN\n0\n", "MAXN (0)"),
        ("NV Fan Mode:quiet\nNV Power Mode: MODE_15W_6CORE\n2\n", "MODE_15W_6CORE (2)"),
        ("NV Power Mode: 15W", "15W"),
        ("Error opening /etc/nvpmodel.conf", ""),
    ],
)
def test_the_power_mode(said, mode):
    assert parse_power_mode(said) == mode
