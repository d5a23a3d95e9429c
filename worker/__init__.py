"""Training, and only training: supervised attempts, the training loop, losses, networks, metrics, data."""
