"""The harness's own files and folders: their permissions, writing them, and hashing their content."""
