"""What `harness check` does: a submission on the public part of an assignment, as its student has it.

packing      the student's folder as a hand-in: handin.zip, with a manifest
public_run   the images and weights that are here, in place of the held-out set and the reference
scores       the comparison with the reference, by its published scores
outcome      what is fine, what to mend, and what cannot be known here
run          all of it, in turn
"""
