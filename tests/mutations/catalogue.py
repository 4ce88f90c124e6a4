"""All readers."""

from tests.mutations.readers import checkpoints, configs

READERS = (*checkpoints.READERS, *configs.READERS)
