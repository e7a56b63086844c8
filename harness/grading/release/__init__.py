"""What `harness release` writes: all that a student gets of an assignment, and nothing that only its instructor has.

public_assignment  the keys of assignment.toml that students may know
words              what is asked, in words
images             the public images, written anew without metadata
scores             the reference's scores, in place of its code and weights
starting_notebook  the notebook that students start from
leaks              looks for what must not be given away
package            all of it, in turn
gradescope         the same as an autograder; `autograde` is the script that runs there
"""
