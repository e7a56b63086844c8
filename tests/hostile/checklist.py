"""The checklist of hostile and broken input: what is handed in -> the one right outcome.

`F`: a finding with this meaning, and the run goes on for everyone; `L`: stopped by a limit, and reported as such; `N`: it simply
does not work inside, and has no effect outside. In every line also: no effect on other submissions, on the host's files or on anyone's
grade, and nothing is left running. Numbers are kept: tests name them.
"""

import importlib
from pathlib import Path

import pytest

SECTIONS: dict[str, dict[int, str]] = {
    "archives and folders": {
        1: "zip with `../../x` member -> F unsafe path, rest not unpacked",
        2: "zip with absolute path, drive letter, backslashes -> F",
        3: "tar with symlink to `/etc/passwd`, hardlink outside, device node, FIFO, set-uid bit -> F, never followed or created",
        4: "zip bomb (10 MB -> 10 GB), nested zip bomb, overlapping-entries bomb -> L unpacked size or ratio",
        5: "1,000,000 empty files; path 5,000 bytes; 300 levels deep -> L",
        6: "two members with one name; names that differ by case; NFC/NFD twins -> F, deterministic choice",
        7: "names: newline, `-rf`, RTL override, emoji, 255 bytes, leading dot, `CON`, quote, `$(...)`, `%s`, `<img onerror>` -> handled as plain text everywhere",
        8: "encrypted zip, truncated zip, zip64, wrong extension, empty archive, `.rar` -> F with what to hand in instead",
        9: "submission is a symlink, a file without read permission, a folder that changes while read -> F",
        10: "file of 50 GB sparse -> L",
    },
    "notebooks": {
        11: "not JSON; JSON but no notebook; nbformat 3; nbformat 4.5 without ids; 200 MB of saved outputs; NUL bytes; BOM; UTF-16; NaN/Infinity tokens -> upgraded where possible, else F",
        12: "50,000 cells; a cell of 20 MB; nesting depth 100,000 in metadata -> L or F, no crash",
        13: "no kernelspec, unknown kernel, R or Julia kernel, `language_info` lies -> Python assumed and said, or F",
        14: "saved outputs with script, SVG onload, iframe, form, `data:` URL, CSS exfiltration, MathJax macros, ANSI floods -> shown harmless",
        15: "metadata that poses as nbgrader points or as the harness's own marks -> ignored",
    },
    "code in the notebook": {
        16: "`while True: pass`; `time.sleep(1e9)`; deadlocked thread; C extension that ignores interrupt -> L cell time, then total time",
        17: "fork bomb; 10,000 threads; double-fork daemon; `setsid nohup` -> L processes; gone afterwards",
        18: "allocates 100 GB at once / slowly / in a child / in `/dev/shm` (also as a channel to another sandbox) / as page cache -> L memory",
        19: "fills `/tmp`, its folder, the results folder, inodes -> L disk",
        20: "prints 10 GB; one line of 1 GB; 1,000,000 display updates; binary to stdout -> truncated, said so, grading goes on",
        21: "`os._exit(0)`, `os.kill(os.getppid(), 9)`, `kill(-1, 9)`, SIGSTOP to parent, closes every fd -> F notebook runner killed; a failure, never a pass",
        22: "ptrace, /proc/<pid>/mem, /proc/<pid>/fd, process_vm_readv on the runner; reads its environment and command line -> N",
        23: 'writes forged result, grade or "executed notebook" files to every writable place; prints the harness\'s own markers -> ignored',
        24: "overwrites its own notebook, `handin.json`, `labels.txt`, model while the next phase starts -> the phase sees one frozen copy",
        25: "monkeypatches nbclient, ipykernel, builtins, `json`, `time`, `numpy.save`; IPython input transformer; import hook; `sitecustomize`; `PYTHONPATH`; atexit, `__del__`, `sys.excepthook` -> own process only, no gain",
        26: "object whose `__eq__`, `__repr__`, `__reduce__`, `_repr_html_` do harm -> no effect outside",
        27: "connect to 1.1.1.1, DNS, AF_VSOCK, 127.0.0.1 of the host, Docker socket, abstract Unix sockets, cloud metadata address, netlink, raw sockets -> N, F attempted network",
        28: "reads `/etc/shadow`, `/root`, home, harness source, assignment, rubric, other submissions, held-out labels, `/proc/1/environ`, host mounts -> N, not there",
        29: "mount, unshare, chroot, pivot_root, new user namespace, bpf, keyctl, perf_event_open, userfaultfd, io_uring, 32-bit system calls, `/dev/mem`, loading modules, reboot, setting the clock -> N",
        30: "leaves SUID file, FIFO, socket, device, symlink, directory loop, huge xattr, immutable file in its folder -> collected safely, removed",
        31: "waits for the benchmark, then burns the other core; allocates in a loop to raise everyone's latency -> benchmarks measured alone; voided and repeated",
        32: "detects grading by environment, path, time or host name and behaves -> nothing inside differs from self-check",
        33: "`input()`, `getpass`, `breakpoint()`, `%debug` -> answered by error at once, not by waiting",
        34: "GPU asked for and none -> runs on CPU or says why not",
    },
    "models": {
        35: "pickle with `os.system`, `eval`, nested `__reduce__`, `torch.load` full pickle -> only ever opened inside",
        36: "TorchScript with endless loop or giant `torch.zeros`; with `aten::save`-like file operators -> L / N",
        37: "`.keras` with Lambda or custom class, `.h5` Lambda, SavedModel with `tf.io.write_file`, py_function -> inside only",
        38: "ONNX: external data `../../etc/passwd`, absolute, through symlink -> F refused",
        39: "ONNX: truncated, 3 GB, cyclic graph, opset 99, custom domain, loop of 1e12, dims of 1e9, negative dims, empty graph, two inputs, uint8 input, float64, string output, no batch -> F or works, each said",
        40: "outputs NaN, inf, negative, not summing to 1, logits, one column too many or few, all equal, transposed, per-call random -> F; softmax only where declared or plain",
        41: "labels.txt: missing, duplicate, blank lines, CRLF, BOM, wrong order, wrong count, 1,000,000 lines, other language or case -> F with what was matched",
        42: "model answers by image hash (memorised), by file name, by order, by time -> names random, order random, images re-encoded; no gain",
        43: "model is the reference's own file; is another student's -> F identical weights",
        44: "model is fast only on repeated input, or answers wrongly in the benchmark -> F outputs differ from predict stage",
        45: "extension lies (`.onnx` is a pickle) -> judged by content",
    },
    "images and data sets": {
        46: "decompression-bomb PNG, 1x1, 30,000 pixels wide, truncated JPEG, CMYK, 16-bit, palette+alpha, animated GIF, EXIF rotation, HEIC, SVG, `.jpg` that is HTML, zero bytes -> read right or F; counted",
        47: "VOC XML with entity expansion, external entity, wrong size, reversed or negative box, NaN -> F",
        48: "class folder with one image, hidden files, `Thumbs.db`, nested folders, symlink to another student's -> F or ignored",
        49: "the same image in train and test; a burst across both; another student's images -> F leak",
    },
    "course side and machine": {
        50: "assignment.toml: missing, bad TOML, unknown key, wrong unit, points that don't add up, held-out set missing or with unreadable images -> exit 2, says where",
        51: "two students with one id; id `../../x`; empty id; group with no members -> F, both graded",
        52: "disk full while writing reports or gradebook; read-only output; output folder of another run -> exit 3 or clear error, nothing half-written under a final name",
        53: "harness killed (TERM, KILL, power) at any moment -> next run goes on and ends with the same grades",
        54: "Docker daemon stops in mid-run, image missing, container removed by someone, engine slow to answer -> retried, then `needs-review`, never a zero",
        55: "clock jumps, time zone changes, summer time, leap day at the deadline -> late policy right",
        56: "two runs into one output folder at once -> second refuses",
        57: "student name `=HYPERLINK(...)`, `+1`, `@SUM`, tab, newline -> exports carry it harmless",
        58: "1,000 submissions, one of them 2 GB -> memory flat",
        59: "locale C, Turkish, no HOME, read-only HOME, TMPDIR on another disk, umask 077, path with spaces -> works",
        60: "Python warnings as errors, other site-packages, harness's own name shadowed by a student's file -> works",
    },
    "what a phase sees of the labels": {
        61: "the order, names, times, inodes, sizes or lists of held-out images in any request, or the order of batches -> tell nothing of labels",
        62: "a model's own code opens the folder of held-out images, or learns names, times, inodes or sizes -> not there: it gets pixels only",
        63: "answers that depend on an image's place, its batch or the count of calls -> F answers-depend-on-order; accuracy waits for a person",
    },
    "what comes back to a student": {
        64: "held-out pixels or text printed to the log, a refusal, an exception's message or a name -> the instructor's pages only",
        65: "another student's name, file, image or link; a path of the host; a held-out image -> on no page that is given away",
    },
    "self-reported, and done before": {
        66: "a model's own process reports its inspection or its latency -> the mark waits for a person",
        67: "a backbone that is carried along, and read as data or as a checksum -> F backbone-unused",
        68: "a file handed in and touched, renamed or copied during the run -> not made by the run",
        69: "fast and wrong when timed: by batch size, count of calls, position, random operators, state -> F; latency waits",
    },
    "withheld images": {
        70: "a trained model in lists, annotations, notebook metadata or attachments, behind an image, in its pixels, its EXIF or names -> gone, or F",
        71: "long literals and embedded binary in cells -> F embedded-data",
    },
    "one submission and the whole run": {
        72: "any exception from any function that is called with one submission's data -> that one needs-review, all others as alone",
        73: "a reply with a million keys, deep or large; a notebook of 400 MiB -> F; the harness's own memory stays bounded",
        74: "another user of the machine lists or reads temporary folders, caches, outputs, command lines -> nothing of a submission",
        75: "a store that belongs to another user, or a kept file that was changed -> refused, or done again",
        76: "LMS metadata that is broken or hostile, or lies inside a student's own folder -> F of that entry; the rest as alone",
        77: "4 GB in members that are skipped; archives in archives -> L counted like all others",
        82: "thousands of near-identical images; a class of hundreds alike -> bounded, cut with F",
    },
    "who is who": {
        78: "a file or display name that poses as another participant; a forged time -> not believed",
        79: "two submissions that claim one LMS id -> F on both, neither exported",
        80: "a folder whose name becomes another's id; new content after marks by a person -> gets no marks; reopened with the old mark shown",
        81: "another's model with noise, pruned, halved, permuted, its last layer scaled -> F model-copied",
        84: "what processes that one zygote forked could share: memory of an earlier job, random numbers, descriptors, processes -> nothing of another job",
        83: "escape sequences and bidirectional characters in names, on a terminal -> visible, never raw",
    },
}


def lines_of(mark: pytest.Mark) -> tuple[int, ...]:
    """The checklist's lines that a `hostile` mark names."""
    line = mark.kwargs["line"]
    return (line,) if isinstance(line, int) else tuple(line)


def covered_lines() -> set[int]:
    """Every line that some test of this folder names, whichever tests were chosen for this run."""
    found: set[int] = set()
    for file in Path(__file__).parent.glob("test_*.py"):
        for value in vars(importlib.import_module(file.stem)).values():
            for mark in getattr(value, "pytestmark", ()):
                if mark.name == "hostile":
                    found.update(lines_of(mark))
    return found
