"""The paths of the pages in the output folder."""

INSTRUCTORS = "submissions"  # a folder per submission, by id, with the complete page
SHARED = "shared"  # images that the instructor's pages have in common, and their style
STUDENTS = "students"  # a folder per submission, with the page for the student; beside them the style of these
PAGE = "index.html"
NOTEBOOK = "notebook.html"  # beside a student's page, which shows it; the instructor's shows it, too
