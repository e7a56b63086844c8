"""What a rerun on a part of the student's data set may see, written anew: images, lists, annotations, notebook.

Nothing is copied as bytes: what stands in the rerun's folder was decoded, understood and written again here.
"""
