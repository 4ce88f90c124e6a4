"""One file per source of weights, each with a function from its state dict to ours."""
