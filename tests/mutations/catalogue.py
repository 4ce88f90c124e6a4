"""All readers."""

from tests.mutations.readers import (
    checkpoints,
    command_lines,
    configs,
    exported,
    packs,
    pictures,
    records,
    submissions,
    videos,
)

READERS = (
    *configs.READERS,
    *checkpoints.READERS,
    *pictures.READERS,
    *packs.READERS,
    *submissions.READERS,
    *videos.READERS,
    *records.READERS,
    *exported.READERS,
    *command_lines.READERS,
)
