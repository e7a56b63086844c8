"""A small renderer: shapes as signed distances, sphere tracing in numpy, random scenes."""
