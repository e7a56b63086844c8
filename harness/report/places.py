"""Where each page lies in the output folder."""

INSTRUCTORS = "submissions"  # a folder for each submission, by its id: the page with everything
STUDENTS = "students"  # likewise: the page that may be given away
PAGE = "index.html"
