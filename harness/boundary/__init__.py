"""Where foreign data meet the harness's own process: errors of one submission, replies, a person's terminal."""
