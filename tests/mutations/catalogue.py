"""All readers."""

from tests.mutations.readers import commands, configs, folders, images, weights

READERS = (
    *configs.READERS,
    *weights.READERS,
    *images.READERS,
    *folders.READERS,
    *commands.READERS,
)
