"""Running a notebook: reading it, capping its outputs, watching what it reaches for, collecting what it wrote."""
