"""`cv2.imshow`, `cv2.waitKey`, `cv2.destroyAllWindows`: there is no window, so the image goes into the notebook."""

from __future__ import annotations

from ..cell import Edit, calls, dotted, edited, span_of, text_of
from ..rule_context import Setting

TITLE = "cv2.imshow shows the image in the notebook, and nothing waits for a key"
ON = True

_NOTHING = {
    "waitKey": "-1",
    "waitKeyEx": "-1",
    "destroyAllWindows": "None",
    "destroyWindow": "None",
    "namedWindow": "None",
    "resizeWindow": "None",
    "moveWindow": "None",
    "startWindowThread": "None",
}
_SHOW = "__import__('IPython.display', fromlist=['*']).display(__import__('PIL.Image', fromlist=['*']).fromarray({}))"


def apply(source: str, setting: Setting) -> str:
    edits = []
    for call in calls(source, "imshow", *_NOTHING):
        name = dotted(call.func)
        if not name.startswith(("cv2.", "cv.")):
            continue
        method = name.rpartition(".")[2]
        if method == "imshow" and len(call.args) == 2:
            image = text_of(source, call.args[1])
            in_rgb = f"({image})[..., ::-1] if ({image}).ndim == 3 else ({image})"
            edits.append(Edit(span_of(source, call), _SHOW.format(in_rgb)))
        elif method in _NOTHING:
            edits.append(Edit(span_of(source, call), _NOTHING[method]))
    return edited(source, edits)
