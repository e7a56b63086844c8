"""The evidence: the records that stages return, and their JSON form.

record        their base class, and `Blob`, a file in the store
stage_result  done, failed or skipped, and resource use
reading       read: the notebook as it was handed in
audit         audit: the student's own data set
box_reading   read_boxes: what is on an instructor's images
execution     execute: the notebook's run
conversion    convert: the converted model, and its pre-processing
predictions   predict: probabilities for the held-out images
detections    detect: a detector's boxes for the held-out images
swapped_backgrounds  swap_backgrounds: images of objects before their own and before other backgrounds
worse_boxes   detect_worse: its boxes for corrupted images, and for images of other objects
unboxed_objects  unboxed: where the reference sees an object on a student's image, and no box is there
detection_scores  score_boxes: how good they are
inspection    inspect: the model's layers, and the verdict on transfer learning
robustness    stress: corrupted images, images of no class, occlusion maps
evaluation    evaluate: scores
kernels       boards: the graph as an engine runs it
boards        boards: predictions for Jetson-class boards
benchmark     benchmark: latency beside the reference's
reference     the reference solution
detector_reference  the reference detector
own_data      scores on images withheld from a student's own data set
own_boxes     those of detectors
alike         passages that notebooks of a class share
submission    everything about one submission, stage by stage
grade         its marks
"""
