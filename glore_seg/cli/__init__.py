"""The command line: options of the tools and how a tool ends."""
