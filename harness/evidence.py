"""What was found out: the types that stages return, and their JSON form.

All are frozen and refuse unknown fields. A file that a stage made is a `Blob`: its bytes lie in the
store under their SHA-256 (`harness/store.py`), so evidence is plain JSON.
"""

from __future__ import annotations

from typing import Annotated, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from harness.findings import Finding


class Record(BaseModel):
    """Base of all evidence."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="null")


Share = Annotated[float, Field(ge=0.0, le=1.0)]
Interval = tuple[float, float]  # lower and upper bound, 95 %


class Blob(Record):
    """A file in the store."""

    name: str  # what to call it when it is shown or mounted; safe for a file name
    sha256: str
    bytes: int


# --- results of a stage -------------------------------------------------------------------------

T = TypeVar("T")
FailedStatus = Literal["failed", "timeout", "memory", "killed", "rejected"]
StageStatus = Literal["ok", "failed", "timeout", "memory", "killed", "rejected", "skipped", "cached"]


class Usage(Record):
    """What a stage cost."""

    seconds: float = 0.0
    peak_memory_bytes: int | None = None
    cores_left: float | None = None  # by other work on the machine, on average; None when not known
    log: str = ""  # what the sandbox wrote to stderr, capped


class Done(Record, Generic[T]):
    """The stage did its work: it has a value, and perhaps findings."""

    status: Literal["ok"] = "ok"
    value: T
    findings: tuple[Finding, ...] = ()
    usage: Usage = Usage()


class Failed(Record):
    """The hand-in, not the harness, made the stage fail. `reason` is a sentence for the student."""

    status: FailedStatus
    reason: str
    findings: tuple[Finding, ...] = ()
    usage: Usage = Usage()


class Skipped(Record):
    """The stage had nothing to work on."""

    status: Literal["skipped"] = "skipped"
    reason: str
    findings: tuple[Finding, ...] = ()
    usage: Usage = Usage()


StageResult = Done[T] | Failed | Skipped


# --- read ---------------------------------------------------------------------------------------


class Curve(Record):
    """One training as the notebook's outputs show it. Metrics by epoch; None where an epoch has none."""

    cell: int
    epochs: int
    planned: int | None  # how many were to be run, where the outputs say so
    metrics: dict[Literal["loss", "accuracy", "val_loss", "val_accuracy"], tuple[float | None, ...]]


class Claim(Record):
    """The accuracy that a notebook reports, in its own words; never trusted for points."""

    kind: Literal["test", "validation", "training", "unsaid"]
    accuracy: Share
    cell: int
    words: str


class Shown(Record):
    """What a notebook's outputs show. Self-reported throughout."""

    has_outputs: bool
    curves: tuple[Curve, ...] = ()
    batch_size: int | None = None
    parameters: int | None = None
    trainable_parameters: int | None = None
    frozen_parameters: int | None = None
    claim: Claim | None = None


class Step(Record):
    """A step of the assignment in the notebook; `cell` counts all cells from 1, None when it was not found."""

    name: str
    cell: int | None
    title: str  # the heading as it stands there
    has_code: bool
    has_words: bool  # a text, or a comment in the code


class Question(Record):
    """An open question in the notebook, and what stands below it."""

    name: str
    cell: int | None
    title: str
    answered: bool
    answer: str


class NotebookReading(Record):
    """A notebook as it was handed in, read and not run."""

    code_cells: int
    shown: Shown
    steps: tuple[Step, ...] = ()
    questions: tuple[Question, ...] = ()


# --- execute ------------------------------------------------------------------------------------


class DifferenceLine(Record):
    """A line of a difference, cut."""

    kind: Literal["removed", "added", "kept"]
    text: str


class CellChange(Record):
    """What rules changed in a code cell before it ran."""

    cell: int
    rules: tuple[str, ...]
    difference: tuple[DifferenceLine, ...]


class CellError(Record):
    """A code cell that raised or ran out of time."""

    cell: int  # 1-based, counting code cells only: what the student sees as the n-th code cell
    kind: Literal["error", "timeout", "died"]
    name: str  # the exception's class
    message: str
    traceback: str  # plain text, capped


class Execution(Record):
    """A notebook's run."""

    notebook: Blob  # as executed, outputs capped, images re-encoded as PNG
    code_cells: int
    executed_cells: int
    errors: tuple[CellError, ...]
    produced: tuple[Blob, ...]  # model files, labels.txt, handin.json, model.py that the run wrote
    network_attempts: tuple[tuple[int, str], ...] = ()  # (cell, what), seen in the cell's errors and text
    outside_reads: tuple[tuple[int, str], ...] = ()  # (cell, path), likewise
    harness_writes: tuple[tuple[int, str], ...] = ()  # (cell, path of the harness that it tried to write to)
    python_assumed: str = ""  # why Python is an assumption; empty when the notebook says so itself
    truncated: str = ""  # why outputs were cut, if they were
    environment: Literal["torch", "keras", "course"] = "torch"  # in which it ran
    changes: tuple[CellChange, ...] = ()  # what was changed before it ran
    changes_left_out: int = 0  # cells whose changes are not listed
    given: tuple[str, ...] = ()  # where the course's pictures were put, a phrase for each place
    shown: Shown | None = None  # what the outputs of this run show

    @property
    def complete(self) -> bool:
        """Whether every code cell ran to its end without an error."""
        return not self.errors and self.executed_cells == self.code_cells


class FailedExecution(Failed):
    """A run that stopped half-way, with what it did until then, where that came out."""

    execution: Execution | None


# --- audit --------------------------------------------------------------------------------------


class Leak(Record):
    """Two pictures of one scene that lie in different splits of the student's."""

    picture: str
    split: str
    other: str
    other_split: str
    kind: Literal["copy", "burst"]  # one photograph, or two of one scene


class MislabelSuspect(Record):
    """A picture that looks as if it lay in the wrong class."""

    picture: str
    label: str
    looks_like: str
    probability: Share  # of `looks_like`, by a model that did not see the picture


class BoxFault(Record):
    picture: str
    kind: Literal["not-a-number", "empty", "outside", "tiny", "unlisted", "wrong-size"]
    label: str


class SharedPicture(Record):
    """A picture that another hand-in holds too."""

    picture: str
    other: str  # the other hand-in's id
    other_picture: str


class WithheldPicture(Record):
    """A picture that was kept from the notebook, as the sandbox re-encoded it."""

    picture: str
    label: str
    file: Blob


class DatasetAudit(Record):
    """The student's own data set. Pictures are named by their paths in it; sets have two or more."""

    classes: dict[str, int]  # name -> readable images
    unreadable: tuple[str, ...]  # file names, at most 100
    layout: Literal["class-folders", "split-folders", "voc", "coco"] = "class-folders"
    splits: dict[str, int] = {}  # the student's own: train, val, test, other -> readable images
    unlabelled: int = 0  # readable images of no class
    heldout: dict[str, int] = {}  # class -> images withheld from the notebook
    groups: tuple[tuple[str, ...], ...] = ()  # pictures that the split keeps on one side
    duplicates: tuple[tuple[str, ...], ...] = ()  # equal pixels
    near_duplicates: tuple[tuple[str, ...], ...] = ()  # one scene: altered copies and bursts
    leaks: tuple[Leak, ...] = ()
    scene_spread: dict[str, float] = {}  # class -> mean cosine distance of its pictures; empty without embeddings
    reference_spread: float | None = None  # the same of the course's own training pictures, mean over the classes
    mislabelled: tuple[MislabelSuspect, ...] = ()
    two_labels: tuple[tuple[str, ...], ...] = ()  # one photograph, copies included, that lies in several classes
    box_faults: tuple[BoxFault, ...] = ()
    shared: tuple[SharedPicture, ...] = ()
    blurred: tuple[str, ...] = ()
    badly_exposed: tuple[str, ...] = ()
    from_elsewhere: tuple[str, ...] = ()  # look taken from a shop or a stock library
    smallest: tuple[int, int] | None = None  # width and height in pixels, of the picture with the fewest
    largest: tuple[int, int] | None = None
    aspects: tuple[float, float] | None = None  # width / height: lowest and highest
    compared_by: Literal["embeddings", "hashes"] = "hashes"  # how pictures of one scene were looked for
    withheld: tuple[WithheldPicture, ...] = ()
    labels: dict[str, str] = {}  # picture -> class; not published
    own_test: tuple[str, ...] = ()  # pictures of the student's own test split
    pixels: dict[str, str] = {}  # picture -> SHA-256 of its pixels; not published
    greys: Blob | None = None  # .npy uint8, (pictures, 128, 128), in the order of `pixels`
    thumbnails: Blob | None = None  # .npy uint8, (shown, side, side, 3)
    shown: tuple[str, ...] = ()  # the pictures of `thumbnails`


# --- convert ------------------------------------------------------------------------------------


class Preprocess(Record):
    """From a picture to the model's input: x = (pixel * scale - mean) / std, channel by channel.

    `pixel` is 0..255, `mean` and `std` are in the order of `colour`. `resize`: `stretch` ignores the
    aspect ratio; `shorter-side-crop` scales the shorter side to size / crop_fraction and cuts the centre.
    """

    width: int = Field(ge=8, le=2048)
    height: int = Field(ge=8, le=2048)
    colour: Literal["RGB", "BGR"]
    scale: float
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    resize: Literal["stretch", "shorter-side-crop"]
    crop_fraction: float = Field(default=1.0, gt=0.0, le=1.0)


class Conversion(Record):
    """A model at the door: as ONNX, or, where that fails, as it is."""

    model: Blob  # the ONNX file, or the file handed in when `native`
    factory: Blob | None = None  # model.py, when `native` and needed
    native: bool
    environment: Literal["torch", "keras", "course"] = "torch"  # in which it was read, and runs when `native`
    source_format: str  # the name of the module in agent/convert that read it
    layout: Literal["NCHW", "NHWC"]
    input_dtype: Literal["float32", "uint8"]
    dynamic_batch: bool
    outputs: int  # number of classes that the model tells apart
    output_kind: Literal["probabilities", "logits"]
    labels: tuple[str, ...]
    preprocess: Preprocess
    assumed: str = ""  # which default pre-processing was assumed; empty when it was declared
    max_abs_difference: float | None  # of the probabilities, ONNX against the original; None when native
    images_compared: int
    opset: int | None = None


# --- inspect ------------------------------------------------------------------------------------

Verdict = Literal["feature-extraction", "fine-tuned", "from-scratch", "copied", "untrained-head", "unknown"]


# Adam moves a weight by at most about its learning rate in each step, and a backbone's weights are
# about 0.02 to 0.1 in size. Fine-tuning at 1e-5, which the course asks for, moves them in some hundred
# steps by 2 % or less; training at 1e-3 without freezing moves them by tens of percent.
LARGEST_FINE_TUNING = 0.05  # median relative change of the layers


class LayerComparison(Record):
    """One pre-trained layer against the model's."""

    name: str
    identical: bool
    relative_change: float | None  # |w - w0| / |w0|; None when no tensor of its size was found


class Inspection(Record):
    """What the model holds, and what became of the pre-trained layers in it.

    A layer with weights is frozen (bit-identical up to layout, name and BatchNorm folding), moved, or new.
    """

    total_parameters: int
    trainable_parameters: int  # all but those of frozen layers
    multiply_adds: int | None  # for one image; 1 multiply-add = 2 operations; None for a model that is not ONNX
    file_bytes: int
    uncounted_operators: tuple[str, ...]
    verdict: Verdict
    self_reported: bool = False  # the file's format runs the student's code, which could say anything
    backbone: str | None
    frozen_layers: int = 0
    moved_layers: int = 0
    new_layers: int = 0
    first_moved_layer: int | None = None  # 1-based, in the backbone's order
    layers: tuple[LayerComparison, ...] = ()
    weights_used: bool | None = None  # shuffling the backbone changes the answers; None when that cannot be told
    outputs: int = 0  # of the output layer
    outputs_fit: bool | None = None  # as many as there are classes
    head_initialised_as: str = ""  # the usual initialisation that the output layer cannot be told from
    scales_its_input: bool = False  # the graph begins with arithmetic on the pixels
    preprocessing_matches: bool | None = None  # the backbone's; None where it is not declared, or in the graph
    weights_fingerprint: str = ""  # equal for equal numbers, whatever the tensors are called; empty without any
    median_change: float | None = None  # of the layers' relative changes; None without a backbone


# --- kernels ------------------------------------------------------------------------------------

KernelKind = Literal[
    "convolution", "pointwise", "depthwise", "grouped", "dense", "product",
    "elementwise", "pool", "normalise", "concat", "copy", "unknown",
]  # fmt: skip
_Count = Annotated[int, Field(ge=0, le=2**53)]


class Kernel(Record):
    """What an engine runs in one go, for one picture. Elements, not bytes: those depend on the precision."""

    kind: KernelKind
    name: Annotated[str, Field(max_length=120)] = ""
    operations: _Count  # 2 for each multiply-add
    inputs: _Count  # elements read of what others made
    weights: _Count  # elements read of constants
    outputs: _Count  # elements written for others
    shape: Annotated[tuple[_Count, ...], Field(max_length=6)] = ()  # of the largest constant
    nodes: _Count = 1  # operators of the graph in it


class KernelList(Record):
    """An ONNX graph as an engine runs it."""

    input: Annotated[tuple[_Count, ...], Field(min_length=4, max_length=4)]  # the picture's shape
    parameters: _Count
    unknown: Annotated[dict[Annotated[str, Field(max_length=60)], _Count], Field(max_length=200)] = {}
    kernels: Annotated[tuple[Kernel, ...], Field(max_length=20_000)]

    @property
    def multiply_adds(self) -> int:
        return sum(kernel.operations for kernel in self.kernels if kernel.kind in MULTIPLY_ADD_KINDS) // 2


MULTIPLY_ADD_KINDS = ("convolution", "pointwise", "depthwise", "grouped", "dense", "product")


# --- predict and evaluate -----------------------------------------------------------------------


class Predictions(Record):
    """Class probabilities for the held-out images, in the order of the held-out set."""

    probabilities: Blob  # .npy float32, shape (images, labels); rows sum to 1
    labels: tuple[str, ...]
    images: int
    seconds_per_image: float
    probe_images: tuple[int, ...] = ()  # indices of the images on which other pre-processings were tried
    probes: dict[str, Blob] = {}  # name of the pre-processing -> .npy float32, shape (probe images, labels)


class Look(Record):
    """How much each part of a picture counts for what the model says to it (occlusion sensitivity).

    `drops`: for each cell of a square grid over `seen_part`, the mean fall of the label's probability when
    a window over it is grey. `seen_part`: left, top, right, bottom of what the model sees, in shares.
    """

    image: int  # index in the held-out set
    label: str
    confidence: Share
    least: Share  # the lowest probability of the label with a window covered
    seen_part: tuple[Share, Share, Share, Share]
    drops: tuple[tuple[float, ...], ...]


class Stress(Record):
    """Answers to worse pictures, to pictures of no class, and with parts covered."""

    images: tuple[int, ...]  # indices in the held-out set, of those that were made worse
    versions: tuple[tuple[str, int], ...]  # corruption and severity
    corrupted: Blob  # .npy float32, shape (1 + versions, images, labels); first the pictures as they are
    unseen: Blob  # .npy float32, shape (pictures, labels)
    unseen_source: Literal["folder", "patterns"]
    labels: tuple[str, ...]
    looks: tuple[Look, ...]


class CalibrationBin(Record):
    """Answers of like confidence: how sure, and how often right."""

    images: int
    confidence: Share  # mean
    accuracy: Share


class ClassScore(Record):
    name: str
    images: int
    precision: Share | None  # None when nothing was predicted as this class
    recall: Share


class Mistake(Record):
    """A wrong answer, for the report's pictures."""

    image: int  # index in the held-out set
    truth: str
    predicted: str
    confidence: Share


class Evaluation(Record):
    """Scores on the held-out images. Intervals are 95 %, by bootstrap over the images."""

    images: int
    classes: tuple[str, ...]
    accuracy: Share
    accuracy_interval: Interval
    balanced_accuracy: Share
    balanced_accuracy_interval: Interval
    macro_f1: Share
    macro_f1_interval: Interval
    log_loss: float
    calibration_error: Share  # expected calibration error, 15 bins, top label
    per_class: tuple[ClassScore, ...]
    confusion: tuple[tuple[int, ...], ...]  # rows truth, columns predicted, in the order of `classes`
    confusion_other: tuple[int, ...]  # per true class: predicted as a label outside `classes`
    mistakes: tuple[Mistake, ...]  # the most confident first, at most 12
    reference_accuracy: Share | None = None
    difference: float | None = None  # accuracy - reference's, on the same images
    difference_interval: Interval | None = None  # paired bootstrap
    mcnemar_p: float | None = None  # exact, two-sided
    calibration: tuple[CalibrationBin, ...] = ()  # ten bins of equal width; empty ones left out
    robustness: dict[str, dict[int, Share]] = {}  # corruption -> severity (1 to 5) -> accuracy
    robustness_images: int = 0
    robustness_clean: Share | None = None  # accuracy on the same pictures as they are
    unseen_auroc: Share | None = None  # of the confidence: held-out pictures against pictures of no class
    unseen_images: int = 0
    unseen_confidence: Share | None = None  # mean, on pictures of no class
    unseen_source: Literal["folder", "patterns"] | None = None
    looks: tuple[Look, ...] = ()


# --- benchmark ----------------------------------------------------------------------------------


class Latency(Record):
    """One model's timing, batch 1."""

    p50_ms: float
    p90_ms: float
    p99_ms: float
    throughput_per_s: float
    queries: int
    peak_memory_bytes: int


class Benchmark(Record):
    """The model and the reference, timed in turn in one sandbox on the same cores."""

    engine: str  # for example "onnxruntime 1.30.0 CPU"
    model: Latency
    reference: Latency | None
    ratio: float | None  # model p50 / reference p50
    ratio_interval: Interval | None
    cpus: int
    threads: int
    warm_up_seconds: float
    outputs_agree: bool  # with the predict stage's on the same images
    latencies_ms: tuple[float, ...] = ()  # the model's, in order


# --- boards -------------------------------------------------------------------------------------

BoardBand = Literal["much faster", "faster", "as fast", "slower", "much slower", "far slower"]  # than the reference


class BoardRatio(Record):
    """A model's predicted latency divided by the reference's on the same board; what is common to both cancels."""

    reference_ms: float
    ratio: float
    interval_90: tuple[float, float]
    band: BoardBand


class BoardLatency(Record):
    """A prediction for one board and runtime."""

    board: str  # its title
    runtime: str
    precision: str
    latency_ms: float
    interval_90: tuple[float, float]
    rests_on: str = ""  # the nearest published row
    rows: int = 0  # published, of this board and runtime
    new: tuple[str, ...] = ()  # in what way no row is like this case, which makes the interval wider
    notes: tuple[str, ...] = ()
    fits: bool | None = None  # None where the board's memory is not published
    needed_bytes: int | None = None  # estimated, of memory
    available_bytes: int | None = None  # of the board's memory, less the system's share
    versus_reference: BoardRatio | None = None  # None without a reference whose kernels are known


class RooflineKernel(Record):
    """A kernel of the model on a board's roofline."""

    name: str
    operations: float
    bytes: float
    reached_per_s: float | None = None  # operations a second that are predicted; None: at most what the roof allows

    @property
    def intensity(self) -> float:
        """Operations for each byte moved."""
        return self.operations / self.bytes


class Roofline(Record):
    """What a board can do at most, and where the model's kernels stand."""

    board: str
    precision: str
    peak_operations_per_s: float
    bandwidth_bytes_per_s: float
    kernels: tuple[RooflineKernel, ...]


class CostlyLayer(Record):
    """One of the costliest layers."""

    name: str
    operator: str  # the kernel's kind
    share: Share  # of the predicted time
    parameters: int
    operations: float


class Outlook(Record):
    """Everything that is predicted for one model. The layers and the advice are those of the first board."""

    model: str
    reason: str = ""  # why nothing is predicted; empty when something is
    boards: tuple[BoardLatency, ...] = ()
    unknown: str = ""  # operators that the prediction does not know, as a sentence
    rooflines: tuple[Roofline, ...] = ()
    costliest: tuple[CostlyLayer, ...] = ()
    advice: tuple[str, ...] = ()  # what would make it faster, a sentence each


# --- the reference ------------------------------------------------------------------------------


class Reference(Record):
    """The reference solution, trained and scored as a hand-in is."""

    backbone: str
    conversion: Conversion
    predictions: Predictions
    evaluation: Evaluation
    latency: Latency
    training_seconds: float
    seed: int
    kernels: KernelList | None = None  # None where no board is asked for, or they cannot be listed


# --- graded on withheld pictures of the student's own --------------------------------------------


class SeenScore(Record):
    """The handed-in model on the withheld pictures, which it has seen: shown, never graded."""

    accuracy: Share
    accuracy_interval: Interval
    difference: float | None = None  # to the rerun's model on the same pictures
    difference_interval: Interval | None = None  # paired bootstrap
    mcnemar_p: float | None = None


class OwnData(Record):
    """Scores on the pictures that were withheld of the student's own data set."""

    reference: Reference  # the reference, trained on the same training part
    rerun: Evaluation | None  # the model of the rerun
    seen: SeenScore | None  # the model that was handed in


# --- everything about one hand-in ---------------------------------------------------------------


class Evidence(Record):
    """What the stages found out about one hand-in."""

    execute: Done[Execution] | FailedExecution | Failed | Skipped
    audit: Done[DatasetAudit] | Failed | Skipped
    convert: Done[Conversion] | Failed | Skipped
    predict: Done[Predictions] | Failed | Skipped
    inspect: Done[Inspection] | Failed | Skipped
    stress: Done[Stress] | Failed | Skipped = Skipped(reason="It was not done.")
    evaluate: Done[Evaluation] | Failed | Skipped
    benchmark: Done[Benchmark] | Failed | Skipped
    own: OwnData | None = None
    read: Done[NotebookReading] | Failed | Skipped = Skipped(reason="The notebook was not read.")
    boards: Done[Outlook] | Failed | Skipped = Skipped(reason="No board is asked for.")
    rerun: Evaluation | None = None  # of the model that the run made, where the one handed in was graded
    intake_findings: tuple[Finding, ...] = ()
    same_model_as: tuple[str, ...] = ()  # other hand-ins, by id; a student never sees them
    later_findings: tuple[Finding, ...] = ()  # found when all hand-ins were compared, or after the stages

    def stages(self) -> dict[str, Done[object] | Failed | Skipped]:
        """Stage name -> result, in the order in which they run."""
        return {name: getattr(self, name) for name in STAGES}

    def findings(self) -> tuple[Finding, ...]:
        """All findings, in the order of the stages, each once."""
        every = [*self.intake_findings, *(f for r in self.stages().values() for f in r.findings)]
        every += self.later_findings
        return tuple(dict.fromkeys(every))


STAGES = ("read", "audit", "execute", "convert", "predict", "inspect", "stress", "evaluate", "boards", "benchmark")


class Mark(Record):
    """Points for one criterion, with the reason in words. `points` is None until a person marks it.

    What is taken off is a mark, too: its `points` are below 0, and its `max_points` are 0.
    """

    criterion: str
    title: str
    points: float | None
    max_points: float
    reason: str


GradeStatus = Literal["graded", "failed", "needs-review"]


class Grade(Record):
    """The marks and their sum.

    `failed`: nothing could be graded. `needs-review`: a person has to mark something, or the machine,
    not the student, failed. `points` then sums what is marked so far.
    """

    status: GradeStatus
    marks: tuple[Mark, ...]
    points: float
    max_points: float
    late_days: int | None = None  # None when there is no deadline, or when it was handed in is not known
    findings: tuple[Finding, ...] = ()  # of the marking itself
