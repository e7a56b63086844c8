"""What was found out: the records that stages give back, and their JSON form.

record        what all are made of, and `Blob`, a file in the store
stage_result  done, failed or skipped, and what it cost
reading       read: the notebook as it was handed in
audit         audit: the student's own data set
execution     execute: the notebook's run
conversion    convert: the model at the door, and its pre-processing
predictions   predict: probabilities for the held-out images
inspection    inspect: what the model holds, and the verdict on transfer learning
stress        stress: worse images, images of no class, parts covered
evaluation    evaluate: scores
kernels       boards: the graph as an engine runs it
boards        boards: what is predicted for Jetson-class boards
benchmark     benchmark: latency beside the reference's
reference     the reference solution
own_data      scores on images that were withheld of a student's own
handin        everything about one submission, stage by stage
grade         its marks
"""
