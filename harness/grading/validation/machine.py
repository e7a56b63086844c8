"""What this machine lacks for an assignment: pre-trained weights, environments."""

from __future__ import annotations

from harness.errors import UsageError
from harness.grading.validation.verdicts import Verdict, doubt, error, fine
from harness.inputs import weights
from harness.inputs.assignment import Assignment
from harness.inputs.assignment.problems import place
from harness.sandbox import Sandbox, Software
from harness.stages.execute.environment import allowed


def missing_weights(assignment: Assignment) -> list[str]:
    """The names of weights that the assignment needs and that are not here, nor what stands in for them.

    Raises `UsageError` for a name that is not in the manifest.
    """
    named = [entry.name for name in assignment.weights or () for entry in weights.named(name)]
    named += [entry.name for entry in weights.named(assignment.reference.weights_name)]
    return [name for name in dict.fromkeys(named) if weights.path(name) is None and weights.standing_in(name) is None]


def of_weights(assignment: Assignment, text: str) -> list[Verdict]:
    """Unknown names of weights, and weights that are not here."""
    found = []
    asked = dict.fromkeys(assignment.weights or (), ("weights",))
    own = "weights" if assignment.reference.weights else "backbone"
    for name, where in (*asked.items(), (assignment.reference.weights_name, ("reference", own))):
        try:
            entries = weights.named(name)
        except UsageError as unknown:
            found.append(error(place(assignment.file, text, where), unknown.message, unknown.do))
            continue
        for entry in entries:
            if weights.path(entry.name) is None and weights.standing_in(entry.name) is None:
                what = f"the pre-trained weights {entry.name!r} are not on this machine"
                found.append(error(place(assignment.file, text, where), what, entry.brought_by))
    if not found:
        found.append(fine("weights", "all that the assignment names are here"))
    return list(dict.fromkeys(found))


def not_built(assignment: Assignment, sandbox: Sandbox) -> list[Software]:
    """The environments that the assignment allows and that this engine lacks. Raises as `allowed`."""
    return [software for software in allowed(assignment) if sandbox.software_id(software) is None]


def of_environments(assignment: Assignment, text: str, sandbox: Sandbox | None, why_none: str) -> list[Verdict]:
    """Environments that are not built. `why_none`: why there is no engine."""
    where = place(assignment.file, text, ("execution", "environments"))
    if sandbox is None:
        return [doubt("sandbox", f"{why_none}; images were not compared", "harness doctor")]
    try:
        missing = not_built(assignment, sandbox)
    except UsageError as unreadable:
        return [error(place(assignment.file, text, ("execution", "requirements")), unreadable.message, unreadable.do)]
    if not missing:
        return [fine(where, f"every environment is built for {sandbox.name}")]
    what = "is not built for {engine}: a notebook that needs it waits, ungraded (environment-missing)"
    return [doubt(where, f"{one.name} {what.format(engine=sandbox.name)}", one.build_command) for one in missing]
