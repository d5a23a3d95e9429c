"""Depthboard's core: what a run is, and how it is spoken of. Shared by the API, the workers and people's own scripts."""

__version__ = "0.1.0"
