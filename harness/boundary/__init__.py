"""Where something foreign meets the harness's own process: one submission's trouble, replies, a person's terminal."""
