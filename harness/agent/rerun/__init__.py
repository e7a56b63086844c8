"""Rewrites what a rerun on a part of the student's data set may see: images, lists, annotations, notebook.

No bytes are copied: everything in the rerun's folder was decoded, parsed and written again here.
"""
