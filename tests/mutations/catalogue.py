"""All readers."""

from tests.mutations.readers import (
    checkpoints,
    command_lines,
    configs,
    exported,
    images,
    packs,
    records,
    submissions,
    videos,
)

READERS = (
    *configs.READERS,
    *checkpoints.READERS,
    *images.READERS,
    *packs.READERS,
    *submissions.READERS,
    *videos.READERS,
    *records.READERS,
    *exported.READERS,
    *command_lines.READERS,
)
