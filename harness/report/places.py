"""The paths of the pages in the output folder."""

INSTRUCTORS = "submissions"  # a folder per submission, by id, with the complete page
SHARED = "shared"  # images that the instructor's pages have in common
STUDENTS = "students"  # likewise, with the page for the student
PAGE = "index.html"
