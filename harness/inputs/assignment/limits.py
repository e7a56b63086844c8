"""What one submission may use in the sandbox: the defaults, which an assignment.toml may change."""

from __future__ import annotations

from pydantic import Field, model_validator

from harness.inputs.assignment.sections import Bytes, Section


class ResourceLimits(Section):
    """What one submission may use in the sandbox."""

    wall_seconds: float = Field(600, gt=0, le=86_400, description="a whole stage, seconds")
    cell_seconds: float = Field(300, gt=0, le=86_400, description="one notebook cell, seconds")
    idle_seconds: float = Field(60, ge=5, le=86_400, description="a cell that uses no processor time, seconds")
    memory: Bytes = Field(4 * 10**9, ge=256 * 2**20, description="memory with no swap")
    cpus: int = Field(2, ge=1, le=256, description="processor cores")
    processes: int = Field(512, ge=32, le=65_536, description="processes and threads")
    disk: Bytes = Field(2 * 10**9, ge=16 * 2**20, description="written to the working folder, and to /tmp")
    output: Bytes = Field(600 * 10**6, ge=2**20, description="what comes out: executed notebook, models")

    @model_validator(mode="after")
    def _a_cell_fits_into_the_whole(self) -> ResourceLimits:
        if self.cell_seconds > self.wall_seconds:
            raise ValueError("cell_seconds is more than wall_seconds")
        return self
