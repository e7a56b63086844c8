"""The checklist of hostile and broken input: the number of each line, and what is handed in, in a few words."""

ARCHIVES = range(1, 11)
NOTEBOOKS = range(11, 16)
CODE = range(16, 35)
MODELS = range(35, 46)
IMAGES = range(46, 50)
COURSE_AND_MACHINE = range(50, 61)

SECTIONS = {
    "archives and folders": ARCHIVES,
    "notebooks": NOTEBOOKS,
    "code in the notebook": CODE,
    "models": MODELS,
    "images and data sets": IMAGES,
    "course side and machine": COURSE_AND_MACHINE,
}
