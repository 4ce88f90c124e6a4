"""How others name what we have: one file a source, each a function from state dict to ours."""
