"""What is said of a detector's mistakes; sentences that can be quoted as they are."""

from __future__ import annotations

SENTENCES: dict[str, str] = {
    "finds-objects": "It finds {found} of {objects} objects of the class {name} "
    "({share:.0%}, 95 % interval {low:.0%} to {high:.0%}).",
    "finds-fewer-small": "It finds {found} of {objects} objects of the class {name} ({share:.0%}), but only {few} of "
    "{small} ({few_share:.0%}) that cover less than {below:.0%} of the image.",
    "finds-fewer-overlapped": "Of objects whose box others overlap by a tenth or more it finds {few} of {overlapped} "
    "({few_share:.0%}), of those that lie apart {found} of {apart} ({share:.0%}).",
    "takes-for": "It takes {wrong} of {objects} objects of the class {name} for {other}.",
    "counts-right": "It counts all objects of an image right on {exact} of {images} images ({share:.0%}, 95 % interval "
    "{low:.0%} to {high:.0%}); on average it is off by {error:.1f} objects an image.",
    "false-alarms": "On {alarmed} of {images} images of other things ({share:.0%}, 95 % interval {low:.0%} to "
    "{high:.0%}) it reports objects; false alarms in all: {boxes:,}.",
    "false-alarms-on-patterns": "On {alarmed} of {images} drawn patterns that show nothing ({share:.0%}, 95 % interval "
    "{low:.0%} to {high:.0%}) it reports objects; false alarms in all: {boxes:,}.",
    "depends-on-background": "It depends on the background: of {objects} objects on {images} images it finds {own:.0%} "
    "before their own background, and {other:.0%} when they are pasted in the same way before others.",
    "background-not-shown": "Of {objects} objects on {images} images it finds {own:.0%} before their own background, "
    "and {other:.0%} when they are pasted in the same way before others; that does not show that it depends on it.",
    "costs-most": "Of the ways in which images were made worse, {corruption} (severity {severity} of 5) costs most: "
    "AP50 falls from {clean:.2f} to {ap50:.2f} on the same {images} images.",
}
