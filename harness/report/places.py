"""The paths of the pages in the output folder."""

INSTRUCTORS = "submissions"  # a folder per submission, by id, with the complete page
STUDENTS = "students"  # likewise, with the page for the student
PAGE = "index.html"
