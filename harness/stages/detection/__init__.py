"""A detector's stages: its boxes asked for, scored, timed, and its network trained and looked into."""
