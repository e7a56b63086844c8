"""What is said of a detector's mistakes; sentences that can be quoted as they are."""

from __future__ import annotations

SENTENCES: dict[str, str] = {
    "finds-objects": "It finds {found} of {objects} objects of the class {name} "
    "({share:.0%}, 95 % interval {low:.0%} to {high:.0%}).",
    "finds-fewer-small": "It finds {found} of {objects} objects of the class {name} ({share:.0%}), but only {few} of "
    "{small} ({few_share:.0%}) that cover less than {below:.0%} of the image.",
    "takes-for": "It takes {wrong} of {objects} objects of the class {name} for {other}.",
    "counts-right": "It counts all objects of an image right on {exact} of {images} images ({share:.0%}, 95 % interval "
    "{low:.0%} to {high:.0%}); on average it is off by {error:.1f} objects an image.",
    "false-alarms": "On {alarmed} of {images} images of other things ({share:.0%}, 95 % interval {low:.0%} to "
    "{high:.0%}) it reports objects; false alarms in all: {boxes:,}.",
    "false-alarms-on-patterns": "On {alarmed} of {images} drawn patterns that show nothing ({share:.0%}, 95 % interval "
    "{low:.0%} to {high:.0%}) it reports objects; false alarms in all: {boxes:,}.",
    "costs-most": "Of the ways in which images were made worse, {corruption} (severity {severity} of 5) costs most: "
    "AP50 falls from {clean:.2f} to {ap50:.2f} on the same {images} images.",
}
