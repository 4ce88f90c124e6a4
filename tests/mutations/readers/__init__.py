"""All readers of given files, by kind."""

from tests.mutations.readers import commands, configs, folders, images, weights

READERS = (
    *configs.READERS,
    *weights.READERS,
    *images.READERS,
    *folders.READERS,
    *commands.READERS,
)
