"""Videos as data: reading and writing them, and mmaction2's data set made to bear damage.

:mod:`~glore_seg.datasets.video.reading` and :mod:`~glore_seg.datasets.video.writing` need PyAV
alone; :mod:`~glore_seg.datasets.video.dataset` and :mod:`~glore_seg.datasets.video.transforms`
register what they hold with mmaction2, and import it.
"""
