"""Programs beside the package that use its public API alone; not in the wheel."""
