"""Tracking side by side: our API and client against trackio and MLflow, the same seeded workload, blocks in turn."""
